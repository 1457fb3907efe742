import type { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import type { Retry } from './retry.js'

/**
 * The name of an object: segments joined by `/`, relative, without empty, `.` or `..` segments, backslashes or control
 * characters. Made by {@link objectKey}, which refuses anything else, so that no manifest can reach outside a storage.
 */
export type ObjectKey = string & { readonly __objectKey: unique symbol }

/** A place for backups. Every implementation passes the contract suite in `holdfast/testing`. */
export interface Storage {
  readonly capabilities: StorageCapabilities
  /** Where it is, for people: driver and place, secrets removed. */
  describe(): string
  /**
   * Stores the whole stream under the key, or nothing: what is being written is never visible, and an error of the source
   * leaves nothing behind.
   * @throws storage.exists with `createOnly`, where the key is there already
   * @throws storage.full, storage.denied, storage.login-refused, storage.unreachable, storage.busy, storage.failed; an error of the
   * source as it is
   */
  put(cx: Context, key: ObjectKey, body: Readable, options?: PutOptions): Promise<StoredObject>
  /** The bytes of an object. @throws storage.not-found before the first byte, or as the stream's error */
  get(cx: Context, key: ObjectKey, range?: ByteRange): Promise<Readable>
  stat(cx: Context, key: ObjectKey): Promise<StoredObject | undefined>
  /** Every object whose key starts with the prefix, in the order of the keys' UTF-8 bytes. An error is an error, never an end. */
  list(cx: Context, prefix: string, options?: ListOptions): AsyncIterable<StoredObject>
  /** Removes an object; one that is not there is fine. @throws storage.retained where the storage protects it */
  delete(cx: Context, key: ObjectKey): Promise<void>
  /**
   * Removes what an interrupted `put` left behind more than `olderThanMs` ago; how many there were.
   * @param prefix of the keys that the puts were for; where the storage knows them, it leaves all others alone
   */
  sweep(cx: Context, olderThanMs: number, prefix?: string): Promise<number>
  /** How many bytes more there is room for; undefined, or no such method, where nobody knows. */
  freeBytes?(cx: Context): Promise<number | undefined>
  close(): Promise<void>
}

/** Facts, not wishes: what an operation may rely on. */
export interface StorageCapabilities {
  readonly atomicPut: boolean
  readonly createOnly: boolean
  readonly ranges: boolean
  /** Gives a SHA-256 of what is stored without reading it back through this machine. */
  readonly checksums: boolean
  readonly deduplicates: boolean
  /** Objects live only as long as the process. */
  readonly volatile: boolean
}

export interface PutOptions {
  /** Fail with `storage.exists` rather than replace. */
  readonly createOnly?: boolean
  /** Part of a finished backup: a storage that is set so protects it from being deleted or replaced for a while. */
  readonly retain?: boolean
}

export interface ListOptions {
  /**
   * Keys in no order, some hundreds of objects apart, between which a storage may list side by side. They need not exist, and change
   * nothing of what is listed. Asked for when the list turns out to be long.
   */
  marks?(): Promise<readonly ObjectKey[]>
}

/** Bytes from `start` on, up to and not including `end`; to the end where `end` is absent. */
export interface ByteRange {
  readonly start: number
  readonly end?: number
}

export interface StoredObject {
  readonly key: ObjectKey
  readonly bytes: number
  readonly modified: Date
  /** Where the storage knows it (capability `checksums`). */
  readonly sha256?: string
}

/** How a driver is made from its configuration; one line in `builtin.ts` each. */
export interface StorageDriver<Settings = unknown> {
  readonly driver: string
  /** Its storages are reached over a network: what fails for a passing reason is tried again. */
  readonly remote?: true
  /** Stores what is alike only once, and compresses and encrypts by itself: by default a dump goes there as it is. */
  readonly deduplicates?: true
  /** The schemes of the URLs that mean it, beside its own name: `gs` for `gcs`. */
  readonly schemes?: readonly string[]
  /**
   * The settings that a URL of one of its schemes stands for: `s3://bucket/prefix?region=eu-central-1`. Nothing is checked but the
   * URL itself; a password in it becomes a `Secret`. Absent where no URL can say where the storage is.
   * @throws config.invalid
   */
  parse?(url: string): Readonly<Record<string, unknown>>
  /** Checks the settings' shape; the returned storage has not been contacted yet. @throws config.invalid */
  open(settings: Settings, where: StorageOrigin): Promise<Storage>
}

export interface StorageOrigin {
  /** The storage's name in the configuration. */
  readonly name: string
  /** What relative paths are relative to: the folder of the configuration file. */
  readonly baseDirectory: string
  /** Tries again what fails for a passing reason; for drivers that send an object in several requests. */
  readonly retry?: Retry
}
