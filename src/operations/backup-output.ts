import { constants } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'
import { Writable, type Readable } from 'node:stream'
import type { Dump } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { connect } from '../streams/connect.js'
import { writeArtifact } from './artifact-writer.js'
import type { BackupTarget } from './backup-storage.js'
import { outputError } from './output-error.js'
import { PartsProgress } from './parts-progress.js'

interface Written {
  readonly filename: string
  readonly plainBytes: number
  readonly storedBytes: number
  readonly warnings: readonly string[]
}

/**
 * Writes the artifact of a dump of one part to a local path or a stream, and no manifest.
 * @throws storage.exists for a path that is there; usage.not-supported for a dump of several parts
 */
export async function writeToOutput(
  cx: Context,
  output: string | Writable,
  target: BackupTarget,
  dump: Dump,
): Promise<Written> {
  let written: Omit<Written, 'warnings'> | undefined
  const progress = new PartsProgress(cx, {
    subject: target.alias,
    phase: 'dump',
    ...(target.totalBytes === undefined ? {} : { totalBytes: target.totalBytes }),
  })
  for await (const part of dump.parts) {
    if (written !== undefined) {
      part.bytes.destroy()
      throw new HoldfastError(
        'usage.not-supported',
        `the dump of ${target.alias} makes several artifacts; output takes one`,
      )
    }
    const encoded = await writeArtifact(
      cx,
      part,
      target.format,
      target.stages.map(({ stage }) => stage),
      progress,
      (bytes) =>
        typeof output === 'string' ? writeFileWhole(cx, output, bytes) : connect([bytes, output], cx.signal),
    )
    written = {
      filename: typeof output === 'string' ? output : '-',
      plainBytes: encoded.plain.bytes,
      storedBytes: encoded.stored.bytes,
    }
  }
  if (written === undefined)
    throw new HoldfastError('integrity.empty', `the dump of ${target.alias} has no parts`)
  return { ...written, warnings: (await dump.facts()).warnings }
}

/** The file appears under its name when it is whole, private, and never in place of another. */
async function writeFileWhole(cx: Context, path: string, bytes: Readable): Promise<void> {
  const partial = `${path}.${Buffer.from(cx.env.randomBytes(6)).toString('hex')}.partial`
  try {
    const file = await open(partial, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      const sink = new Writable({
        highWaterMark: 4 * 1024 * 1024,
        write(chunk: Buffer, _encoding, done) {
          file.writeFile(chunk).then(() => done(), done)
        },
      })
      await connect([bytes, sink], cx.signal)
      await file.sync()
    } finally {
      await file.close()
    }
    // A hard link, unlike a rename, never replaces what is there.
    await link(partial, path)
  } catch (error) {
    throw outputError(error, path)
  } finally {
    await rm(partial, { force: true })
  }
}
