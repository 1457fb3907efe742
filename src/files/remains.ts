import { isAlive } from '../env/alive.js'

/**
 * What is unfinished has a name that tells which process makes it, and which of its restores, so that a later run can remove what a killed
 * one has left.
 */
export function newToken(randomBytes: Uint8Array): string {
  return `${process.pid}-${Buffer.from(randomBytes).toString('hex')}`
}

const tokenPattern = '(\\d+)-[0-9a-f]{12}'

/** The name of a file that is being restored, beside its place. */
export function partialFile(token: string): string {
  return `.holdfast-${token}.partial`
}

/** The name of a folder that is being made, or was replaced, beside the one of that name. */
export function folderBeside(name: string, token: string, state: 'partial' | 'old'): string {
  return `.${name}.holdfast-${token}.${state}`
}

/** Whether a file is one that a dead process was restoring. */
export function isDeadFile(name: string): boolean {
  return isDead(new RegExp(`^\\.holdfast-${tokenPattern}\\.partial$`, 'u').exec(name)?.[1])
}

/** Whether a folder is one that a dead process has left beside the one of that name. */
export function isDeadFolder(entry: string, name: string, state: 'partial' | 'old'): boolean {
  const [start, end] = [`.${name}.holdfast-`, `.${state}`]
  if (!entry.startsWith(start) || !entry.endsWith(end)) return false
  return isDead(new RegExp(`^${tokenPattern}$`, 'u').exec(entry.slice(start.length, -end.length))?.[1])
}

function isDead(pid: string | undefined): boolean {
  return pid !== undefined && !isAlive(Number(pid))
}
