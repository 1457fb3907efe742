import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { parsePortableManifest, type PortableManifest } from '../portable/portable-manifest.js'
import { connect } from '../streams/connect.js'
import { syncFolder } from '../streams/durable-folder.js'
import { fileTarget } from '../streams/file-target.js'
import type { Compression } from './dump-compression.js'
import type { DumpDestination } from './dump-destination.js'
import { counted, made, partial, tableFileName } from './dump-files.js'
import { outputError } from './output-error.js'

/** One file a table; each takes its place when all are whole. */
export class FolderDestination implements DumpDestination {
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
    return tableFileName(table, this.#compression?.kind.extension)
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
