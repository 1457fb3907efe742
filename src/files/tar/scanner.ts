import { HoldfastError } from '../../errors.js'
import { decodeHeader, isZeros, largestMeta, storedBytes, type Header } from './decode.js'
import { blockBytes, paddingOf, type TarEntry } from './entry.js'
import { parsePax, parseTime, type PaxRecord } from './pax.js'
import { decimal, LeadingMap, OldGnuMap, paxMap, type SparseFile, type Stretch } from './sparse.js'

/** What is found in an archive, in order: an entry, then the bytes of its file, then its end. */
export type TarEvent =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  /** `at` is where in the file the bytes belong: sparse files have holes. The bytes are the chunk's own. */
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly at: number }
  | { readonly kind: 'end' }

/** What the bytes that come next belong to. */
type State =
  | { readonly in: 'headers' }
  | { readonly in: 'meta'; readonly header: Header; readonly parts: Buffer[]; left: number }
  | { readonly in: 'old-map'; readonly header: Header; readonly map: OldGnuMap }
  | { readonly in: 'leading-map'; readonly header: Header; readonly map: LeadingMap; readonly size: number }
  | { readonly in: 'data'; left: number; readonly stretches: readonly Stretch[]; index: number; done: number }
  | { readonly in: 'padding'; left: number }
  | { readonly in: 'after' }

/**
 * Reads a tar archive as its bytes come by: ustar, pax, GNU (long names, base-256 numbers, the four sparse formats), and what was
 * before them. It waits for nothing and keeps nothing but the headers of one entry.
 */
export class TarScanner {
  #state: State = { in: 'headers' }
  readonly #block = Buffer.alloc(blockBytes)
  #blockFilled = 0
  #zeroBlocks = 0
  #globals: readonly PaxRecord[] = []
  #records: readonly PaxRecord[] = []
  #longName: Buffer | undefined
  #longLink: Buffer | undefined;

  /** @throws integrity.format */
  *push(chunk: Uint8Array): Generator<TarEvent> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let at = 0; at < bytes.length;) {
      const state = this.#state
      if (state.in === 'after') return
      if (state.in === 'data') at += yield* this.#data(state, bytes, at)
      else if (state.in === 'padding') at += this.#padding(state.left, bytes.length - at)
      else if (state.in === 'meta') at += this.#meta(state, bytes, at)
      else {
        const taken = bytes.copy(this.#block, this.#blockFilled, at)
        at += taken
        this.#blockFilled += taken
        if (this.#blockFilled < blockBytes) return
        this.#blockFilled = 0
        yield* this.#wholeBlock(state)
      }
    }
  }

  /** @throws integrity.truncated where the two blocks that end an archive have not come */
  end(): void {
    if (this.#state.in === 'after') return
    throw new HoldfastError('integrity.truncated', 'the tar archive has no end: it was cut')
  }

  *#wholeBlock(state: Extract<State, { in: 'headers' | 'old-map' | 'leading-map' }>): Generator<TarEvent> {
    if (state.in === 'old-map') {
      state.map.add(this.#block)
      if (!state.map.extended) yield* this.#begin(state.header, state.map.file(), state.header.size)
    } else if (state.in === 'leading-map') {
      const file = state.map.add(this.#block, state.size)
      const left = state.header.size - state.map.bytes
      if (left < 0) throw damaged('the map of a sparse file')
      if (file !== undefined) yield* this.#begin(state.header, file, left)
    } else yield* this.#header()
  }

  *#header(): Generator<TarEvent> {
    if (isZeros(this.#block)) {
      this.#zeroBlocks += 1
      if (this.#zeroBlocks === 2) this.#state = { in: 'after' }
      return
    }
    this.#zeroBlocks = 0
    const header = decodeHeader(this.#block)
    if ('xgLK'.includes(header.flag)) {
      if (header.size > largestMeta) throw damaged('a name or extended header')
      this.#state = { in: 'meta', header, parts: [], left: header.size }
      if (header.size === 0) this.#metaEnded(header, Buffer.alloc(0))
      return
    }
    // A volume's label is no entry; an entry that goes on from another volume is none that can be read.
    if (header.flag === 'V') this.#forget()
    else yield* this.#entry(header)
  }

  #meta(state: Extract<State, { in: 'meta' }>, bytes: Buffer, at: number): number {
    const taken = bytes.subarray(at, at + state.left)
    // The chunk's memory is used again.
    state.parts.push(Buffer.from(taken))
    state.left -= taken.length
    if (state.left === 0) this.#metaEnded(state.header, Buffer.concat(state.parts))
    return taken.length
  }

  #metaEnded({ flag, size }: Header, content: Buffer): void {
    const end = content.indexOf(0)
    const text = end < 0 ? content : content.subarray(0, end)
    if (flag === 'x') this.#records = parsePax(content)
    else if (flag === 'g') this.#globals = [...this.#globals, ...parsePax(content)].slice(-1000)
    else if (flag === 'L') this.#longName = text
    else this.#longLink = text
    this.#skip(paddingOf(size))
  }

  *#entry(plain: Header): Generator<TarEvent> {
    const size = this.#record('size')
    const header = size === undefined ? plain : { ...plain, size: decimal(size.toString('latin1')) }
    if (header.flag === 'S') {
      const map = new OldGnuMap(this.#block)
      if (map.extended) this.#state = { in: 'old-map', header, map }
      else yield* this.#begin(header, map.file(), header.size)
      return
    }
    const realSize = this.#record('GNU.sparse.realsize')
    if (realSize !== undefined && this.#record('GNU.sparse.major')?.toString() === '1') {
      this.#state = { in: 'leading-map', header, map: new LeadingMap(), size: decimal(realSize.toString()) }
      return
    }
    const stored = storedBytes(header.flag, header.type, header.size)
    yield* this.#begin(header, paxMap(this.#records) ?? wholeFile(stored), stored)
  }

  /** @param stored how many bytes of the file follow in the archive */
  *#begin(header: Header, file: SparseFile, stored: number): Generator<TarEvent> {
    const { stretches } = file
    if (stretches.reduce((sum, { length }) => sum + length, 0) !== stored)
      throw damaged('the map of a sparse file')
    const entry = this.#entryOf(header, file.size)
    this.#forget()
    this.#state = { in: 'data', left: stored, stretches, index: 0, done: 0 }
    yield { kind: 'entry', entry }
    if (stored === 0) yield* this.#ended(0)
  }

  *#data(state: Extract<State, { in: 'data' }>, bytes: Buffer, from: number): Generator<TarEvent, number> {
    let stretch = state.stretches[state.index]
    while (stretch !== undefined && stretch.length === state.done) {
      state.index += 1
      state.done = 0
      stretch = state.stretches[state.index]
    }
    if (stretch === undefined) throw damaged('the map of a sparse file')
    const taken = Math.min(stretch.length - state.done, bytes.length - from)
    const at = stretch.offset + state.done
    state.done += taken
    state.left -= taken
    yield { kind: 'data', bytes: bytes.subarray(from, from + taken), at }
    if (state.left === 0) {
      const stored = state.stretches.reduce((sum, { length }) => sum + length, 0)
      yield* this.#ended(paddingOf(stored))
    }
    return taken
  }

  *#ended(padding: number): Generator<TarEvent> {
    this.#skip(padding)
    yield { kind: 'end' }
  }

  #padding(left: number, available: number): number {
    const taken = Math.min(left, available)
    this.#skip(left - taken)
    return taken
  }

  #skip(left: number): void {
    this.#state = left === 0 ? { in: 'headers' } : { in: 'padding', left }
  }

  #record(key: string): Buffer | undefined {
    return lastOf(this.#records, key) ?? lastOf(this.#globals, key)
  }

  /** The header with what the extended ones say in its place. */
  #entryOf({ type, about }: Header, size: number): TarEntry {
    const number = (key: string, fallback: number) => {
      const given = this.#record(key)
      return given === undefined ? fallback : decimal(given.toString('latin1'))
    }
    const path = this.#record('GNU.sparse.name') ?? this.#record('path') ?? this.#longName ?? about.path
    const link = this.#record('linkpath') ?? this.#longLink ?? about.link
    const time = this.#record('mtime')
    const modified = time === undefined ? undefined : parseTime(time.toString('latin1'))
    return {
      path: withoutSlash(path),
      type,
      mode: about.mode,
      uid: number('uid', about.uid),
      gid: number('gid', about.gid),
      size: type === 'file' ? size : 0,
      modifiedNs: modified ?? BigInt(about.seconds) * 1_000_000_000n,
      ...(type === 'symlink' || type === 'hardlink' ? { link } : {}),
    }
  }

  #forget(): void {
    this.#records = []
    this.#longName = undefined
    this.#longLink = undefined
  }
}

/** A plain loop: each entry is asked for several keys. */
function lastOf(records: readonly PaxRecord[], key: string): Buffer | undefined {
  for (let at = records.length - 1; at >= 0; at--) {
    const record = records[at] as PaxRecord
    if (record[0] === key) return record[1]
  }
  return undefined
}

function wholeFile(size: number): SparseFile {
  return { size, stretches: [{ offset: 0, length: size }] }
}

function withoutSlash(path: Buffer): Buffer {
  let end = path.length
  while (end > 1 && path[end - 1] === 0x2f) end -= 1
  return path.subarray(0, end)
}

function damaged(what: string): HoldfastError {
  return new HoldfastError('integrity.format', `${what} in the tar archive is damaged`)
}
