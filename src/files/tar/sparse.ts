import { HoldfastError } from '../../errors.js'
import { sizeField } from './decode.js'
import { blockBytes } from './entry.js'
import type { PaxRecord } from './pax.js'

/** A stretch of a sparse file that holds data; everything between is zeros. */
export interface Stretch {
  readonly offset: number
  readonly length: number
}

export interface SparseFile {
  /** Of the file itself, holes included. */
  readonly size: number
  readonly stretches: readonly Stretch[]
}

/** More stretches than any real file has. */
const mostStretches = 1_000_000

const structBytes = 24

/** Old GNU format: four stretches in the header itself, more in the blocks after it ("Storing Sparse Files" in GNU tar's manual). */
export class OldGnuMap {
  readonly size: number
  readonly #stretches: Stretch[] = []
  #extended: boolean

  constructor(header: Buffer) {
    this.size = sizeField(header, 483)
    this.#extended = header[482] === 1
    this.#read(header, 386, 4)
  }

  /** Whether the next block is a part of the map. */
  get extended(): boolean {
    return this.#extended
  }

  add(block: Buffer): void {
    this.#read(block, 0, 21)
    this.#extended = block[504] === 1
  }

  file(): SparseFile {
    return checkedMap(this.size, this.#stretches)
  }

  #read(block: Buffer, start: number, count: number): void {
    for (let at = start; at < start + count * structBytes; at += structBytes) {
      // An unused place begins with NUL.
      if (block[at] === 0) return
      this.#stretches.push({ offset: sizeField(block, at), length: sizeField(block, at + 12) })
    }
    if (this.#stretches.length > mostStretches) throw absurd()
  }
}

/** GNU's pax formats 0.0 and 0.1, whose map is in the extended header; undefined where there is none. */
export function paxMap(records: readonly PaxRecord[]): SparseFile | undefined {
  const last = (key: string) => records.findLast(([name]) => name === key)?.[1].toString('latin1')
  const size = last('GNU.sparse.size')
  if (size === undefined) return undefined
  const map = last('GNU.sparse.map')
  const numbers =
    map === undefined
      ? records
          .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
          .map(([, value]) => value.toString('latin1'))
      : map.split(',').filter((each) => each !== '')
  return checkedMap(decimal(size), pairs(numbers.map(decimal)))
}

/** GNU's pax format 1.0: the map stands before the data, decimal numbers a line each, in whole blocks. */
export class LeadingMap {
  #text = ''
  #blocks = 0

  /** @returns the map when it is whole */
  add(block: Buffer, size: number): SparseFile | undefined {
    if (++this.#blocks > (mostStretches * 40) / blockBytes) throw absurd()
    this.#text += block.toString('latin1')
    const lines = this.#text.split('\n')
    const count = lines.length > 1 ? decimal(lines[0] ?? '') : mostStretches
    if (lines.length > 1 && count > mostStretches) throw absurd()
    if (lines.length - 1 < 1 + count * 2) return undefined
    return checkedMap(size, pairs(lines.slice(1, 1 + count * 2).map(decimal)))
  }

  /** How many bytes of the entry were the map. */
  get bytes(): number {
    return this.#blocks * blockBytes
  }
}

function pairs(numbers: readonly number[]): Stretch[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * mostStretches) throw absurd()
  return Array.from({ length: numbers.length / 2 }, (_, index) => ({
    offset: numbers[2 * index] as number,
    length: numbers[2 * index + 1] as number,
  }))
}

export function decimal(text: string): number {
  const number = /^\d{1,16}$/u.test(text) ? Number(text) : NaN
  if (!Number.isSafeInteger(number)) throw absurd()
  return number
}

/** Stretches come in order and lie within the file. */
function checkedMap(size: number, stretches: readonly Stretch[]): SparseFile {
  let end = 0
  for (const { offset, length } of stretches) {
    if (offset < end || offset + length > size) throw absurd()
    end = offset + length
  }
  return { size, stretches }
}

function absurd(): HoldfastError {
  return new HoldfastError('integrity.format', 'the map of a sparse file in the tar archive is damaged')
}
