import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Context } from '../env/context.js'
import { isObjectKey } from '../storages/object-key.js'
import type { ObjectKey, Storage, StoredObject } from '../storages/storage.js'
import { indexKey } from './keys.js'
import { readBytes } from './text-objects.js'

/** With fewer manifests that it does not hold, or that it holds in vain, writing it anew is not worth it. */
export const worthIndexing = 64

/** Every so many objects a mark: a page of S3 is a thousand, and there may be some more when the index is read. */
export const objectsBetweenMarks = 800

/** What an index holds at most, unpacked. */
const largestIndexBytes = 256 * 1024 * 1024

/** The text of a manifest, and the object that it was read from. */
export interface ManifestText {
  readonly object: StoredObject
  readonly text: string
}

/** The first line. */
interface Head {
  readonly formatVersion: 1
  /** Absent where there is no long list, and in older ones. */
  readonly marks?: readonly string[]
}

interface Entry {
  readonly key: string
  /** RFC 3339 in UTC: when the manifest was written, as the storage's list says. */
  readonly modified: string
  readonly sha256: string
  readonly text: string
}

/**
 * Copies of the texts of manifests in one object, so that a list of thousands of backups needs no request for each. The storage's
 * list says which manifests there are; of those that are in the index as they are in the list, the text comes from here, the others
 * are read. So an index that is missing, old or damaged costs time, and nothing else.
 */
export class ManifestIndex {
  readonly #entries: ReadonlyMap<string, Entry>
  /** Keys that split the storage's list into parts of much the same length. */
  readonly marks: readonly ObjectKey[]

  private constructor(entries: ReadonlyMap<string, Entry>, marks: readonly ObjectKey[]) {
    this.#entries = entries
    this.marks = marks
  }

  static readonly empty = new ManifestIndex(new Map(), [])

  /** Empty where there is none, or none that can be read. */
  static async read(cx: Context, storage: Storage): Promise<ManifestIndex> {
    try {
      const packed = await readBytes(cx, storage, indexKey)
      const lines = (await promisify(gunzip)(packed, { maxOutputLength: largestIndexBytes })).toString()
      const [head = '', ...entries] = lines.trimEnd().split('\n')
      const { formatVersion, marks = [] } = JSON.parse(head) as Head
      if (formatVersion !== 1) return ManifestIndex.empty
      const parsed = entries.map((line) => JSON.parse(line) as Entry)
      return new ManifestIndex(new Map(parsed.map((entry) => [entry.key, entry])), marks.filter(isObjectKey))
    } catch {
      cx.signal.throwIfAborted()
      return ManifestIndex.empty
    }
  }

  /** @throws storage.* */
  static async write(
    cx: Context,
    storage: Storage,
    manifests: readonly ManifestText[],
    marks: readonly ObjectKey[],
  ): Promise<void> {
    const lines = manifests.map(({ object: { key, modified }, text }) => {
      const entry: Entry = { key, modified: modified.toISOString(), sha256: digestOf(text), text }
      return `${JSON.stringify(entry)}\n`
    })
    const packed = await promisify(gzip)(
      [`${JSON.stringify({ formatVersion: 1, marks } satisfies Head)}\n`, ...lines].join(''),
    )
    await storage.put(cx, indexKey, Readable.from([packed]))
  }

  /**
   * Whether writing it anew would be worth a request, where it gave the texts of so many manifests of so many.
   * @param marks how many the list has now
   */
  isWorn(manifests: number, given: number, marks: number): boolean {
    if (marks > 0 && this.marks.length === 0) return true
    return manifests - given >= worthIndexing || this.#entries.size - given >= Math.max(worthIndexing, given)
  }

  /** The text of the manifest that is listed so; undefined where it must be read. */
  textOf({ key, bytes, modified, sha256 }: StoredObject): string | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.modified !== modified.toISOString()) return undefined
    if (Buffer.byteLength(entry.text) !== bytes || digestOf(entry.text) !== entry.sha256) return undefined
    return sha256 === undefined || sha256 === entry.sha256 ? entry.text : undefined
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}
