import type { Manifest } from '../catalog/manifest.js'
import type { Context } from '../env/context.js'
import { runTool } from '../process/run.js'

type Revision = NonNullable<Manifest['revision']>

/** The state of the git working copy around a folder; `undefined` outside one, or without git. */
export async function codeRevision(cx: Context, directory: string): Promise<Revision | undefined> {
  try {
    const { stdout } = await runTool(cx, {
      program: 'git',
      args: ['status', '--porcelain=v2', '--branch', '--untracked-files=no'],
      workingDirectory: directory,
      // Never waits for a lock, never asks for a password.
      env: { GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0' },
      timeoutMs: 10_000,
    })
    return parseStatus(stdout)
  } catch (error) {
    if (cx.signal.aborted) throw error
    return undefined
  }
}

/** Reads `git status --porcelain=v2 --branch` (git-status(1), "Porcelain Format Version 2"). */
export function parseStatus(status: string): Revision | undefined {
  const lines = status.split('\n').filter((line) => line !== '')
  const header = (name: string) =>
    lines.find((line) => line.startsWith(`# ${name} `))?.slice(`# ${name} `.length)
  const commit = header('branch.oid')
  if (commit === undefined || commit === '(initial)') return undefined
  const branch = header('branch.head')
  return {
    commit,
    ...(branch === undefined || branch === '(detached)' ? {} : { branch }),
    dirty: lines.some((line) => !line.startsWith('#')),
  }
}
