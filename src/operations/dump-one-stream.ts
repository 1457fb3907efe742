import { rename, rm } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { PassThrough, type Readable, type Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Context } from '../env/context.js'
import { streamEnd } from '../portable/dump-stream.js'
import { connect } from '../streams/connect.js'
import { syncFolder } from '../streams/durable-folder.js'
import { fileTarget } from '../streams/file-target.js'
import type { Compression } from './dump-compression.js'
import type { DumpDestination } from './dump-destination.js'
import { counted, made, partial } from './dump-files.js'
import { outputError } from './output-error.js'

/** All tables one after another, with a line before and one after them. */
export class StreamDestination implements DumpDestination {
  readonly path?: string
  readonly compresses: boolean
  readonly #cx: Context
  readonly #input: PassThrough
  readonly #done: Promise<void>
  #tables = 0
  #bytes = 0

  constructor(cx: Context, target: Writable, compression: Compression | undefined, path?: string) {
    this.#cx = cx
    if (path !== undefined) this.path = path
    this.compresses = compression !== undefined
    this.#input = new PassThrough({ highWaterMark: 1024 * 1024 })
    const counting = counted((length) => (this.#bytes += length))
    const through = compression?.stage.encode(cx).through
    this.#done = connect(
      through === undefined ? [this.#input, counting, target] : [this.#input, through, counting, target],
      cx.signal,
    ).catch((error: unknown) => {
      throw path === undefined ? error : outputError(error, path)
    })
    this.#done.catch(() => undefined)
  }

  static async toFile(
    cx: Context,
    path: string,
    compression: Compression | undefined,
  ): Promise<StreamDestination> {
    await made(dirname(path))
    return new StreamDestination(cx, fileTarget(path + partial), compression, path)
  }

  fileOf(table: string): string {
    return `${table} in ${this.path === undefined ? 'the stream' : basename(this.path)}`
  }

  async begin(head: object): Promise<void> {
    await this.#write(Buffer.from(`${JSON.stringify(head)}\n`))
  }

  async table(_file: string, bytes: Readable): Promise<void> {
    this.#tables += 1
    for await (const piece of bytes) await this.#write(piece as Buffer)
  }

  async finish(): Promise<void> {
    await this.#write(Buffer.from(`${JSON.stringify(streamEnd(this.#tables))}\n`))
    this.#input.end()
    await this.#done
    if (this.path === undefined) return
    await rename(this.path + partial, this.path)
    await syncFolder(dirname(this.path))
  }

  async abandon(): Promise<void> {
    this.#input.destroy()
    await this.#done.catch(() => undefined)
    if (this.path !== undefined) await rm(this.path + partial, { force: true })
  }

  bytes(): number {
    return this.#bytes
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#cx.signal.throwIfAborted()
    if (this.#input.write(bytes)) return
    const drained = new Promise<void>((resolve) => this.#input.once('drain', resolve))
    await Promise.race([drained, this.#done])
  }
}

/** A stream of the caller's, such as stdout, is not closed by us; a file is. */
export function kept(output: Writable): Writable {
  const through = new PassThrough()
  through.pipe(output, { end: false })
  finished(output, { readable: false }).catch((error: Error) => through.destroy(error))
  return through
}
