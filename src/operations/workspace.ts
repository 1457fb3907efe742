import { setMaxListeners } from 'node:events'
import type { Registry, Settings } from '../config/settings.js'
import type { Context, Emit } from '../env/context.js'
import type { Env } from '../env/env.js'
import type { HookRunner } from '../hooks/runner.js'
import type { KeyRing } from '../stages/stage.js'
import { memoryOf, paceOf } from './limits.js'
import type { OpenStorages } from './open-storages.js'

/** What every operation works with. */
export interface Workspace {
  readonly env: Env
  readonly emit: Emit
  readonly settings: Settings
  readonly registry: Registry
  readonly hooks: HookRunner
  /** Where decoding finds its keys. */
  readonly keys: KeyRing
  readonly storages: OpenStorages
  /** Requests come from a command line: messages name its flags. */
  readonly commandLine: boolean
}

export function contextOf(workspace: Workspace, wish: AbortSignal = new AbortController().signal): Context {
  // A signal of our own: many streams listen to it at once, which Node would warn of.
  const signal = AbortSignal.any([wish])
  setMaxListeners(0, signal)
  const { env, emit, settings } = workspace
  return { env, emit, signal, ...paceOf(settings), ...memoryOf(settings) }
}

export function notice(workspace: Workspace, level: 'debug' | 'info' | 'warning', message: string): void {
  workspace.emit({ type: 'notice', level, message })
}

export function secondsSince({ env }: Workspace, started: Date): number {
  return (env.clock.now().getTime() - started.getTime()) / 1000
}
