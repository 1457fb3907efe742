import { createWriteStream } from 'node:fs'
import { open, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Transform, type Readable } from 'node:stream'
import { isAlive } from '../../../env/alive.js'
import type { Context } from '../../../env/context.js'
import { HoldfastError } from '../../../errors.js'
import { connect } from '../../../streams/connect.js'
import { EarlySync } from './early-sync.js'

/** A new file in the target's own folder, so that it can take its place by a rename. */
export interface FileBeside {
  readonly path: string
  /** @param watch sees each chunk; what it throws fails the write */
  write(bytes: Readable, watch: (chunk: Buffer) => void): Promise<void>
  remove(): Promise<void>
}

/** Mode 0600, made exclusively; files that killed restores into this target have left are removed first. */
export async function fileBeside(cx: Context, target: string): Promise<FileBeside> {
  await sweep(target)
  const unique = Buffer.from(cx.env.randomBytes(6)).toString('hex')
  const path = join(dirname(target), `${prefixOf(target)}${process.pid}-${unique}`)
  await (await open(path, 'wx', 0o600).catch(spaceOrRights)).close()
  return {
    path,
    async write(bytes, watch) {
      const file = createWriteStream(path, { flags: 'r+', highWaterMark: 2 * 1024 * 1024 })
      const closed = new Promise<void>((resolve) => file.once('close', () => resolve()))
      const early = await EarlySync.of(path)
      try {
        await connect([bytes, watching(watch, early), file], cx.signal)
      } catch (error) {
        // An open file cannot be removed everywhere.
        await closed
        spaceOrRights(error)
      } finally {
        await early.close()
      }
    },
    async remove() {
      for (const suffix of ['', '-journal', '-wal', '-shm']) await rm(`${path}${suffix}`, { force: true })
    },
  }
}

function watching(watch: (chunk: Buffer) => void, early: EarlySync): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        watch(chunk)
        early.wrote(chunk.length)
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
  })
}

function prefixOf(target: string): string {
  return `.${basename(target)}.holdfast-`
}

async function sweep(target: string): Promise<void> {
  for (const { path, pid } of await filesBeside(target)) {
    if (!isAlive(pid)) await rm(path, { force: true })
  }
}

/** What restores into this target have beside it, or have left there, with the process of each. */
export async function filesBeside(
  target: string,
): Promise<readonly { readonly path: string; readonly pid: number }[]> {
  const prefix = prefixOf(target)
  const names = await readdir(dirname(target)).catch(() => [])
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({
      path: join(dirname(target), name),
      pid: Number(/^\d+/u.exec(name.slice(prefix.length))?.[0] ?? process.pid),
    }))
}

function spaceOrRights(error: unknown): never {
  if (error instanceof HoldfastError) throw error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT')
    throw new HoldfastError('storage.full', message, { cause: error })
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    throw new HoldfastError('database.denied', message, { cause: error })
  throw error
}
