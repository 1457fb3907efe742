import { readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { PassThrough, Readable, Transform, type Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { streamEnd } from '../portable/dump-stream.js'
import { parsePortableManifest, type PortableManifest } from '../portable/portable-manifest.js'
import { connect } from '../streams/connect.js'
import { makeFolder, syncFolder } from '../streams/durable-folder.js'
import { fileTarget } from '../streams/file-target.js'
import { askedCompression, namedCompression, type Compression } from './dump-compression.js'
import { outputError } from './output-error.js'
import type { Workspace } from './workspace.js'

/** Where a dump goes. */
export interface DumpDestination {
  /** Absolute; absent for a stream. */
  readonly path?: string
  readonly compresses: boolean
  fileOf(table: string): string
  begin(head: object): Promise<void>
  table(file: string, bytes: Readable): Promise<void>
  finish(manifest: PortableManifest): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
  bytes(): number
}

/** @throws usage.invalid for a file that is none of ours, or that is named after another compression */
export async function dumpDestination(
  cx: Context,
  workspace: Workspace,
  output: string | Writable,
  compress: string | undefined,
): Promise<DumpDestination> {
  const asked = askedCompression(workspace, compress)
  if (typeof output !== 'string')
    return new StreamDestination(cx, 'path' in output ? output : kept(output), asked)
  const path = resolve(cx.env.workingDirectory, output)
  const found = await stat(path).catch(() => undefined)
  if (
    found?.isDirectory() === true ||
    (found === undefined && (/[/\\]$/u.test(output) || !/\.ndjson(?:\.\w+)?$/u.test(output)))
  )
    return FolderDestination.open(cx, path, asked)
  if (extname(path) === '.ndjson' || /\.ndjson\.\w+$/u.test(path))
    return StreamDestination.toFile(cx, path, namedCompression(workspace, compress, output))
  throw new HoldfastError(
    'usage.invalid',
    `${output} is a file that is no portable dump: name a folder, or a file that ends in .ndjson`,
  )
}

const partial = '.partial'

/** One file a table; each takes its place when all are whole. */
class FolderDestination implements DumpDestination {
  readonly path: string
  readonly #cx: Context
  readonly #compression: Compression | undefined
  readonly #earlier: readonly string[]
  readonly #written: string[] = []
  #bytes = 0

  private constructor(
    cx: Context,
    path: string,
    compression: Compression | undefined,
    earlier: readonly string[],
  ) {
    this.#cx = cx
    this.path = path
    this.#compression = compression
    this.#earlier = earlier
  }

  static async open(
    cx: Context,
    path: string,
    compression: Compression | undefined,
  ): Promise<FolderDestination> {
    const manifest = join(path, 'manifest.json')
    const text = await readFile(manifest, 'utf8').catch(() => undefined)
    // Only an earlier dump is written over.
    const earlier =
      text === undefined
        ? []
        : parsePortableManifest(JSON.parse(text), manifest).tables.map(({ file }) => file)
    await made(join(path, 'tables'), 0o700)
    return new FolderDestination(cx, path, compression, earlier)
  }

  get compresses(): boolean {
    return this.#compression !== undefined
  }

  fileOf(table: string): string {
    // A name is anything; a file's name is not.
    const safe = table
      .replace(/[^\p{L}\p{N}._-]/gu, (each) => `%${Buffer.from(each).toString('hex')}`)
      .replace(/^\./u, '%2e')
    return `tables/${safe}.ndjson${this.#compression?.kind.extension ?? ''}`
  }

  async begin(): Promise<void> {}

  async table(file: string, bytes: Readable): Promise<void> {
    const counting = counted((length) => (this.#bytes += length))
    const target = fileTarget(join(this.path, file + partial))
    this.#written.push(file)
    const through = this.#compression?.stage.encode(this.#cx).through
    await connect(
      through === undefined ? [bytes, counting, target] : [bytes, through, counting, target],
      this.#cx.signal,
    ).catch((error: unknown) => {
      throw outputError(error, join(this.path, file))
    })
  }

  async finish(manifest: PortableManifest): Promise<void> {
    const path = join(this.path, 'manifest.json')
    const text = Readable.from([Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`)])
    await connect([text, fileTarget(path + partial)], this.#cx.signal)
    for (const file of this.#written) await rename(join(this.path, file + partial), join(this.path, file))
    // The manifest never names what is not on the disk.
    await syncFolder(join(this.path, 'tables'))
    await rename(path + partial, path)
    await syncFolder(this.path)
    for (const file of this.#earlier) {
      // What an earlier manifest names may be anything: only files of ours are removed.
      if (!this.#written.includes(file) && /^tables\/[^/\\]+\.ndjson(?:\.\w+)?$/u.test(file))
        await rm(join(this.path, file), { force: true })
    }
  }

  async abandon(): Promise<void> {
    for (const file of [...this.#written, 'manifest.json'])
      await rm(join(this.path, file + partial), { force: true })
  }

  bytes(): number {
    return this.#bytes
  }
}

/** All tables one after another, with a line before and one after them. */
class StreamDestination implements DumpDestination {
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

/** A folder, with those above it. @throws storage.denied, storage.full */
async function made(folder: string, mode?: number): Promise<void> {
  await makeFolder(folder, mode).catch((error: unknown) => {
    throw outputError(error, folder)
  })
}

function counted(add: (length: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      add(chunk.length)
      done(null, chunk)
    },
  })
}

/** A stream of the caller's, such as stdout, is not closed by us; a file is. */
function kept(output: Writable): Writable {
  const through = new PassThrough()
  through.pipe(output, { end: false })
  finished(output, { readable: false }).catch((error: Error) => through.destroy(error))
  return through
}
