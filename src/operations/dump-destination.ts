import { stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { PortableManifest } from '../portable/portable-manifest.js'
import { askedCompression, namedCompression } from './dump-compression.js'
import { FolderDestination } from './dump-folder.js'
import { kept, StreamDestination } from './dump-one-stream.js'
import { TarDestination } from './dump-tar.js'
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
    (found === undefined && (/[/\\]$/u.test(output) || !/\.(?:ndjson|tar)(?:\.\w+)?$|\.tgz$/u.test(output)))
  )
    return FolderDestination.open(cx, path, asked)
  if (/\.tar$/u.test(path)) return TarDestination.open(cx, path, asked)
  if (extname(path) === '.ndjson' || /\.ndjson\.\w+$/u.test(path))
    return StreamDestination.toFile(cx, path, namedCompression(workspace, compress, output))
  if (/\.tar\.\w+$|\.tgz$/u.test(path))
    throw new HoldfastError(
      'usage.invalid',
      `${output} would be a tar that has to be unpacked before it can be read`,
      {
        hint: 'name a file that ends in .tar, and compress what is in it with --compress zstd',
      },
    )
  throw new HoldfastError(
    'usage.invalid',
    `${output} is a file that is no portable dump: name a folder, or a file that ends in .ndjson or .tar`,
  )
}
