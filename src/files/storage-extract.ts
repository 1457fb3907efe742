import { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { objectKey } from '../storages/object-key.js'
import type { ObjectKey, Storage } from '../storages/storage.js'
import { pathTest } from './globs.js'
import { shownPath } from './program/entry-path.js'
import type { ConflictMode, Examined, Unpacked } from './program/protocol.js'
import { selection, type SafeEntry } from './program/selected.js'
import type { TarEntry } from './tar/entry.js'
import { TarScanner, type TarEvent } from './tar/scanner.js'

const mostNames = 10
/** An object up to this size is put from memory, beside others: each put takes a turn over the network. */
const smallBytes = 1024 * 1024
const smallAtOnce = 8
const zeros = Buffer.alloc(64 * 1024)

export interface StorageExtract {
  readonly onConflict: ConflictMode
  /** Patterns; an empty list means all. */
  readonly only: readonly string[]
  /** In the end only what the archive holds is there, of what `include` and `exclude` mean. */
  readonly replace: boolean
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/**
 * Reads an archive to its end and changes nothing: whether each file can be an object, and which objects it would meet.
 * @throws integrity.*, storage.*; usage.not-supported for links
 */
export async function examineForStorage(
  cx: Context,
  storage: Storage,
  input: StorageExtract,
  archive: Readable,
): Promise<Examined> {
  const there = await keysIn(cx, storage)
  const select = selection(input)
  const conflicts: string[] = []
  let entries = 0
  let bytes = 0
  for await (const event of events(archive)) {
    const key = event.kind === 'entry' ? keyOf(select(event.entry)) : undefined
    if (event.kind !== 'entry' || key === undefined) continue
    entries += 1
    bytes += event.entry.size
    if (there.has(key)) conflicts.push(key)
  }
  return {
    ...{ entries, bytes, present: [...there].filter(ours(input)).length },
    ...{ conflicts: conflicts.length, conflictNames: conflicts.slice(0, mostNames) },
    ...{ linksOut: 0, linkNames: [] },
  }
}

/**
 * Puts the files of an archive into a storage, each whole or not at all. What is to go with `replace` goes when all of them are there.
 * @throws integrity.*, storage.*
 */
export async function extractIntoStorage(
  cx: Context,
  storage: Storage,
  input: StorageExtract,
  archive: Readable,
): Promise<Unpacked> {
  const counts = { files: 0, folders: 0, links: 0, bytes: 0, skipped: 0 }
  // Not every storage can refuse to replace.
  const skipped = input.onConflict === 'skip' && !input.replace ? await keysIn(cx, storage) : new Set()
  const select = selection(input)
  const wanted = new Set<ObjectKey>()
  let small: { readonly key: ObjectKey; readonly parts: readonly Buffer[]; readonly size: number }[] = []
  const createOnly = !input.replace && input.onConflict !== 'replace'
  const put = async (key: ObjectKey, body: Readable, size: number) => {
    try {
      await storage.put(cx, key, body, { createOnly })
      counts.files += 1
      counts.bytes += size
    } catch (thrown) {
      if (input.onConflict !== 'skip' || asHoldfastError(thrown).code !== 'storage.exists') throw thrown
      counts.skipped += 1
    }
  }
  const putSmall = async () => {
    const all = small
    small = []
    // Those beside one that fails have ended before the failure is told.
    const ends = await Promise.allSettled(
      all.map(({ key, parts, size }) => put(key, Readable.from(parts, { objectMode: false }), size)),
    )
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }
  const coming = events(archive)
  for (;;) {
    const next = await coming.next()
    if (next.done === true) break
    const event = next.value
    const key = event.kind === 'entry' ? keyOf(select(event.entry)) : undefined
    if (event.kind !== 'entry' || key === undefined) continue
    wanted.add(key)
    if (skipped.has(key)) {
      counts.skipped += 1
      continue
    }
    const { size } = event.entry
    if (size > smallBytes) await put(key, Readable.from(fileOf(coming, size), { objectMode: false }), size)
    else {
      const parts: Buffer[] = []
      for await (const part of fileOf(coming, size)) parts.push(Buffer.from(part))
      small.push({ key, parts, size })
      if (small.length === smallAtOnce) await putSmall()
    }
  }
  await putSmall()
  if (input.replace)
    for (const key of await keysIn(cx, storage))
      if (ours(input)(key) && !wanted.has(key)) await storage.delete(cx, key)
  return counts
}

async function keysIn(cx: Context, storage: Storage): Promise<ReadonlySet<ObjectKey>> {
  const keys = new Set<ObjectKey>()
  for await (const { key } of storage.list(cx, '')) keys.add(key)
  return keys
}

/** Whether a backup of the storage would have had the object. */
function ours({ include, exclude }: StorageExtract): (key: ObjectKey) => boolean {
  const included = include.length === 0 ? () => true : pathTest(include)
  const excluded = pathTest(exclude)
  return (key) => included(key) && !excluded(key)
}

/** Of a folder none: a storage has objects alone. */
function keyOf(safe: SafeEntry | undefined): ObjectKey | undefined {
  if (safe === undefined || safe.entry.type === 'folder') return undefined
  const { entry, names } = safe
  const shown = shownPath(entry.path)
  if (entry.type !== 'file')
    throw new HoldfastError('usage.not-supported', `${shown} is a link, which no storage can hold`, {
      hint: 'restore into a folder with --to',
    })
  const path = Buffer.from(names.map((name) => name.toString('latin1')).join('/'), 'latin1')
  const text = path.toString('utf8')
  if (!Buffer.from(text).equals(path))
    throw new HoldfastError('storage.unsafe-key', `the name ${shown} is not UTF-8, as those of objects are`, {
      hint: 'restore into a folder with --to',
    })
  return objectKey(text)
}

/** @throws integrity.truncated where the archive has no end */
async function* events(archive: Readable): AsyncGenerator<TarEvent> {
  const scanner = new TarScanner()
  for await (const chunk of archive as AsyncIterable<Buffer>) yield* scanner.push(chunk)
  scanner.end()
}

/** The bytes of the file whose entry has just come, holes as zeros. */
async function* fileOf(coming: AsyncGenerator<TarEvent>, size: TarEntry['size']): AsyncGenerator<Buffer> {
  let at = 0
  for (;;) {
    const next = await coming.next()
    if (next.done === true)
      throw new HoldfastError('integrity.truncated', 'the tar archive ends within a file')
    const event = next.value
    if (event.kind === 'data') {
      yield* hole(event.at - at)
      yield event.bytes
      at = event.at + event.bytes.length
    } else if (event.kind === 'end') {
      yield* hole(size - at)
      return
    }
  }
}

function* hole(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= zeros.length) yield zeros.subarray(0, left)
}
