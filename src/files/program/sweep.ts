import { lstatSync, readdirSync, rmSync } from 'node:fs'
import type { SweepInput } from './protocol.js'

const slash = Buffer.from('/')

/** The name of a file that is being written. */
export function partialName(token: string): string {
  return `.holdfast-${token}.partial`
}

/** Removes what an interrupted `unpack` was writing. */
export function sweep({ target, token }: SweepInput): number {
  return sweepFolder(Buffer.from(target), Buffer.from(partialName(token)))
}

function sweepFolder(folder: Buffer, name: Buffer): number {
  let removed = 0
  for (const each of readdirSync(folder, { encoding: 'buffer' })) {
    const path = Buffer.concat([folder, slash, each])
    if (each.equals(name)) {
      rmSync(path, { force: true })
      removed += 1
    } else if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
      removed += sweepFolder(path, name)
  }
  return removed
}
