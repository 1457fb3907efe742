import { createReadStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { HoldfastError } from '../errors.js'
import { blockBytes, paddingOf, type TarEntry } from '../files/tar/entry.js'
import { TarScanner } from '../files/tar/scanner.js'
import type { DumpFiles } from './dump-files-source.js'

/** Where the bytes of a file are in its archive. */
interface Member {
  readonly at: number
  readonly size: number
}

/**
 * The files of a dump in a tar archive, also one that somebody has made of a folder.
 * @throws integrity.truncated, integrity.format, integrity.missing-artifact
 */
export async function tarFiles(
  path: string,
  decoded: (bytes: Readable) => Promise<Readable>,
): Promise<DumpFiles> {
  const members = await membersOf(path)
  const manifests = [...members.keys()].filter((name) => /(?:^|\/)manifest\.json$/u.test(name))
  const manifest = manifests.sort((a, b) => a.length - b.length)[0]
  if (manifest === undefined)
    throw new HoldfastError(
      'integrity.missing-artifact',
      `${basename(path)} has no manifest.json: it is no whole portable dump`,
    )
  const folder = manifest.slice(0, -'manifest.json'.length)
  const read = ({ at, size }: Member): Readable =>
    createReadStream(path, { start: at, end: at + Math.max(size, 1) - 1, highWaterMark: 256 * 1024 })
  const member = (name: string): Member => {
    const found = members.get(name)
    if (found === undefined || found.size === 0)
      throw new HoldfastError(
        'integrity.missing-artifact',
        `${name}, which the manifest names, is not in ${basename(path)}`,
      )
    return found
  }
  return {
    path,
    manifest: () => text(read(member(manifest))),
    open: async (file) => decoded(read(member(folder + file))),
  }
}

async function membersOf(path: string): Promise<ReadonlyMap<string, Member>> {
  const file = await open(path)
  const members = new Map<string, Member>()
  try {
    for (let at = 0; ;) {
      const { entry, next } = await entryAt(file, at)
      if (entry === undefined) return members
      if (entry.type === 'file')
        members.set(entry.path.toString('utf8').replace(/^(?:\.\/)+/u, ''), { at: next, size: entry.size })
      at = next + entry.size + paddingOf(entry.size)
    }
  } finally {
    await file.close()
  }
}

/** @returns the entry whose header begins at a place, and where its bytes begin; none at the archive's end */
async function entryAt(
  file: FileHandle,
  from: number,
): Promise<{ readonly entry: TarEntry | undefined; readonly next: number }> {
  const scanner = new TarScanner()
  const block = Buffer.alloc(blockBytes)
  for (let at = from, zeros = 0; zeros < 2; at += blockBytes) {
    const { bytesRead } = await file.read(block, 0, blockBytes, at)
    // Says that it was cut.
    if (bytesRead < blockBytes) scanner.end()
    for (const event of scanner.push(block))
      if (event.kind === 'entry') return { entry: event.entry, next: at + blockBytes }
    zeros = block.every((byte) => byte === 0) ? zeros + 1 : 0
  }
  return { entry: undefined, next: from }
}
