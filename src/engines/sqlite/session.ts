import { stat } from 'node:fs/promises'
import type { Context } from '../../env/context.js'
import type { ConnectionSettings, ServerFacts, Session } from '../../engine/engine.js'
import { HoldfastError } from '../../errors.js'
import { ask } from './tools.js'

/** A file is opened for each question, and not kept open. @throws database.not-found */
export async function openSession(cx: Context, settings: ConnectionSettings): Promise<Session> {
  await requireFile(settings.name)
  return {
    facts: () => inspect(cx, settings),
    close: () => Promise.resolve(),
  }
}

/** @throws database.not-found, database.corrupt, database.busy, database.denied */
export async function inspect(cx: Context, { name: path }: ConnectionSettings): Promise<ServerFacts> {
  return (await ask(cx, 'inspect', { path })).answer
}

/** @throws database.not-found */
export async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile() !== true) {
    throw new HoldfastError(
      'database.not-found',
      found === undefined ? `${path} does not exist` : `${path} is not a file`,
    )
  }
}
