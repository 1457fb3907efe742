import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { isDeadFile, partialFile } from '../remains.js'
import type { SweepInput } from './protocol.js'

const slash = Buffer.from('/')

/** Removes what an interrupted `unpack` was writing: the one of that token, and those of processes that are dead. */
export function sweep({ target, token }: SweepInput): number {
  return sweepFolder(Buffer.from(target), partialFile(token))
}

function sweepFolder(folder: Buffer, own: string): number {
  let removed = 0
  for (const each of readdirSync(folder, { encoding: 'buffer' })) {
    const path = Buffer.concat([folder, slash, each])
    const name = each.toString()
    if (name === own || isDeadFile(name)) {
      rmSync(path, { force: true })
      removed += 1
    } else if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
      removed += sweepFolder(path, own)
  }
  return removed
}
