import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable, Writable, type Duplex } from 'node:stream'
import type { Context } from '../env/context.js'
import { endOfArchive, headerOfUnknownSize } from '../files/tar/encode.js'
import { paddingOf } from '../files/tar/entry.js'
import type { PortableManifest } from '../portable/portable-manifest.js'
import { releaseChunk } from '../streams/chunk-pool.js'
import { connect } from '../streams/connect.js'
import { syncFolder } from '../streams/durable-folder.js'
import type { Compression } from './dump-compression.js'
import type { DumpDestination } from './dump-destination.js'
import { made, partial, tableFileName } from './dump-files.js'
import { outputError } from './output-error.js'

/** The files of a folder in one tar archive. A header is written once more when the size of what comes behind it is known. */
export class TarDestination implements DumpDestination {
  readonly path: string
  readonly #cx: Context
  readonly #compression: Compression | undefined
  readonly #file: FileHandle
  #end = 0

  private constructor(cx: Context, path: string, compression: Compression | undefined, file: FileHandle) {
    this.#cx = cx
    this.path = path
    this.#compression = compression
    this.#file = file
  }

  /** @throws storage.denied, storage.full */
  static async open(
    cx: Context,
    path: string,
    compression: Compression | undefined,
  ): Promise<TarDestination> {
    await made(dirname(path))
    const file = await open(path + partial, 'w', 0o600).catch((error: unknown) => {
      throw outputError(error, path)
    })
    return new TarDestination(cx, path, compression, file)
  }

  get compresses(): boolean {
    return this.#compression !== undefined
  }

  fileOf(table: string): string {
    return tableFileName(table, this.#compression?.kind.extension)
  }

  async begin(): Promise<void> {}

  async table(file: string, bytes: Readable): Promise<void> {
    const through = this.#compression?.stage.encode(this.#cx).through
    await this.#entry(file, bytes, through)
  }

  async finish(manifest: PortableManifest): Promise<void> {
    const text = `${JSON.stringify(manifest, undefined, 2)}\n`
    await this.#entry('manifest.json', Readable.from([Buffer.from(text)]))
    await this.#put(endOfArchive)
    await this.#file.sync()
    await this.#file.close()
    await rename(this.path + partial, this.path)
    await syncFolder(dirname(this.path))
  }

  async abandon(): Promise<void> {
    await this.#file.close().catch(() => undefined)
    await rm(this.path + partial, { force: true })
  }

  bytes(): number {
    return this.#end
  }

  async #entry(name: string, bytes: Readable, through?: Duplex): Promise<void> {
    const header = (size: number) =>
      headerOfUnknownSize({
        path: Buffer.from(name),
        type: 'file',
        ...{ mode: 0o600, uid: 0, gid: 0, size },
        modifiedNs: BigInt(this.#cx.env.clock.now().getTime()) * 1_000_000n,
      })
    const at = this.#end
    try {
      await this.#put(header(0))
      const start = this.#end
      const target = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          this.#put(chunk).then(
            () => {
              releaseChunk(chunk)
              done()
            },
            (error: Error) => done(error),
          )
        },
      })
      await connect(through === undefined ? [bytes, target] : [bytes, through, target], this.#cx.signal)
      const size = this.#end - start
      await this.#put(Buffer.alloc(paddingOf(size)))
      await this.#putAt(header(size), at)
    } catch (error) {
      throw outputError(error, this.path)
    }
  }

  async #put(bytes: Buffer): Promise<void> {
    await this.#putAt(bytes, this.#end)
    this.#end += bytes.length
  }

  /** A write may take less than it was given. */
  async #putAt(bytes: Buffer, at: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done)
      done += bytesWritten
    }
  }
}
