import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable, type Readable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { connect } from '../../streams/connect.js'
import { isMissing, storageError, systemCode } from './errors.js'
import { linkRefused, partialFolder } from './paths.js'

const bufferBytes = 1024 * 1024

/** A new file of our own, and never through a link; O_NOFOLLOW does not exist on Windows. */
export const exclusive =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

/** A complete file, on the disk, that has no name among the objects yet. */
export interface Partial {
  readonly path: string
  readonly bytes: number
  readonly modified: Date
}

/**
 * Writes a stream into a file that no list shows; on an error it is removed.
 * @param doing for errors: `cannot write shop/app.dump in local /backups`
 * @throws an error of the source as it is, a system error as storage error
 */
export async function writePartial(
  cx: Context,
  root: string,
  body: Readable,
  doing: string,
): Promise<Partial> {
  const { path, handle } = await createPartial(cx, root)
  try {
    return { path, ...(await fill(cx, handle, body, doing)) }
  } catch (error) {
    await handle.close().catch(() => undefined)
    await removePartial(path)
    throw error
  }
}

/** What cannot be removed now is left to `sweepPartials`. */
export async function removePartial(path: string): Promise<void> {
  await unlink(path).catch(() => undefined)
}

async function createPartial(cx: Context, root: string): Promise<{ path: string; handle: FileHandle }> {
  const folder = join(root, partialFolder)
  await mkdir(folder, { mode: 0o700 }).catch((error: unknown) => {
    if (systemCode(error) !== 'EEXIST') throw error
  })
  if (!(await lstat(folder)).isDirectory()) throw linkRefused(folder)
  for (let attempt = 1; ; attempt++) {
    const path = join(folder, Buffer.from(cx.env.randomBytes(12)).toString('hex'))
    try {
      return { path, handle: await open(path, exclusive, 0o600) }
    } catch (error) {
      // Machines whose random bytes repeat, as clones of one image can.
      if (systemCode(error) !== 'EEXIST' || attempt === 10) throw error
    }
  }
}

/** Writes the whole stream and closes the file, when all of it is on the disk. */
async function fill(
  cx: Context,
  handle: FileHandle,
  body: Readable,
  doing: string,
): Promise<{ readonly bytes: number; readonly modified: Date }> {
  let bytes = 0
  const write = (chunks: readonly Buffer[], done: (error?: Error) => void): void => {
    for (const chunk of chunks) bytes += chunk.length
    // Mapped here, so that an error of the source, which may be a system error too, stays as it is.
    writeAll(handle, chunks).then(
      () => done(),
      (error: unknown) => done(storageError(error, doing)),
    )
  }
  const sink = new Writable({
    highWaterMark: bufferBytes,
    write: (chunk: Buffer, _encoding, done) => write([chunk], done),
    writev: (chunks, done) =>
      write(
        chunks.map(({ chunk }) => chunk as Buffer),
        done,
      ),
  })
  await connect([body, sink], cx.signal)
  const { size, mtime } = await handle.stat()
  if (size !== bytes) {
    throw new HoldfastError('storage.failed', `${doing}: the file holds ${size} of ${bytes} bytes`)
  }
  await handle.sync()
  // Network file systems report what they could not write as late as here.
  await handle.close()
  return { bytes, modified: mtime }
}

/** A write may take less than it was given, such as the last bytes that fit on a disk. */
async function writeAll(handle: FileHandle, chunks: readonly Buffer[]): Promise<void> {
  for (let rest = chunks; rest.length > 0;) {
    const { bytesWritten } = await handle.writev(rest)
    // Not to go round for ever; the file's size tells.
    if (bytesWritten === 0) return
    rest = withoutFirst(rest, bytesWritten)
  }
}

/** What is left of the chunks after the first `bytes` bytes. */
function withoutFirst(chunks: readonly Buffer[], bytes: number): readonly Buffer[] {
  let skip = bytes
  const index = chunks.findIndex((chunk) => {
    if (skip < chunk.length) return true
    skip -= chunk.length
    return false
  })
  const first = chunks[index]
  return first === undefined ? [] : [first.subarray(skip), ...chunks.slice(index + 1)]
}

/** Removes partial files that were last written before a time; how many. */
export async function sweepPartials(root: string, before: Date): Promise<number> {
  const folder = join(root, partialFolder)
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  let swept = 0
  for (const name of names) {
    const path = join(folder, name)
    try {
      const stats = await lstat(path)
      if (!stats.isFile() || stats.mtime >= before) continue
      await unlink(path)
      swept += 1
    } catch (error) {
      // Published or removed meanwhile.
      if (!isMissing(error)) throw error
    }
  }
  return swept
}
