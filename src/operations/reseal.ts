import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { TableFooter } from '../portable/codec.js'
import { fileBytes } from '../portable/dump-stream.js'
import { parsePortableManifest } from '../portable/portable-manifest.js'
import { StreamTables } from '../portable/stream-tables.js'
import { ChunkPool } from '../streams/chunk-pool.js'
import { connect } from '../streams/connect.js'
import { syncFolder } from '../streams/durable-folder.js'
import { fileTarget } from '../streams/file-target.js'
import { compressedAtOnce, defaultFolder } from './dump.js'
import { decodedFile } from './file-source.js'
import type { ResealReport } from './portable-reports.js'
import type { ResealRequest } from './portable-requests.js'
import { contextOf, type Workspace } from './workspace.js'

/**
 * Writes the footers of edited files anew, with their rows in canonical form, and the manifest of their folder.
 * @throws integrity.format naming file and line; then the file is as it was
 */
export async function reseal(workspace: Workspace, request: ResealRequest): Promise<ResealReport> {
  const cx = contextOf(workspace, request.signal)
  const files: { path: string; rows: number; changed: boolean }[] = []
  for (const given of request.paths ?? [defaultFolder]) {
    const path = resolve(cx.env.workingDirectory, given)
    const found = await stat(path).catch(() => undefined)
    if (found === undefined)
      throw new HoldfastError('storage.not-found', `there is no portable dump ${given}`)
    if (path.endsWith('.tar'))
      throw new HoldfastError(
        'usage.not-supported',
        `${given} is a dump in one file: unpack it, and reseal its folder, or load it with --accept-edits`,
      )
    if (found.isDirectory()) files.push(...(await resealFolder(cx, workspace, path)))
    else files.push(await resealFile(cx, workspace, path))
  }
  return { files: files.map(({ path, rows, changed }) => ({ path, rows, changed })) }
}

type Resealed = ResealReport['files'][number] & TableFooter & { readonly table: string }

async function resealFolder(cx: Context, workspace: Workspace, folder: string): Promise<readonly Resealed[]> {
  const path = join(folder, 'manifest.json')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new HoldfastError('integrity.missing-artifact', `${folder} has no manifest.json`, { cause: error })
  })
  const manifest = parsePortableManifest(JSON.parse(text), path)
  const resealed: Resealed[] = []
  for (const { file } of manifest.tables) resealed.push(await resealFile(cx, workspace, join(folder, file)))
  const tables = manifest.tables.map((each, place) => ({
    ...each,
    table: resealed[place]?.table ?? each.table,
    rows: resealed[place]?.rows ?? each.rows,
    sum64: resealed[place]?.sum64 ?? each.sum64,
  }))
  const written = Buffer.from(`${JSON.stringify({ ...manifest, tables }, undefined, 2)}\n`)
  await connect([Readable.from([written]), fileTarget(`${path}.partial`)], cx.signal)
  await rename(`${path}.partial`, path)
  await syncFolder(folder)
  return resealed
}

async function resealFile(cx: Context, workspace: Workspace, path: string): Promise<Resealed> {
  const facts: Partial<TableFooter> & { table?: string } = {}
  const partial = `${path}.partial`
  const { stages } = workspace.registry
  const endings = basename(path).split('.').slice(1)
  const through = endings.flatMap((ending) => {
    const kind = stages.find(({ extension, role }) => extension === `.${ending}` && role === 'compress')
    return kind === undefined ? [] : [kind.create(undefined, workspace.keys).encode(cx).through]
  })
  try {
    const rewritten = Readable.from(resealedBytes(cx, workspace, path, facts), { objectMode: false })
    await connect([rewritten, ...through, fileTarget(partial)], cx.signal)
    const changed = !(await sameBytes(path, partial))
    await rename(partial, path)
    await syncFolder(dirname(path))
    const { rows = 0, sum64 = '', sha256 = '', table = '' } = facts
    return { path, rows, sum64, sha256, table, changed }
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

async function* resealedBytes(
  cx: Context,
  workspace: Workspace,
  path: string,
  facts: Partial<TableFooter> & { table?: string },
): AsyncGenerator<Buffer> {
  const stream = new StreamTables(await decodedFile(cx, workspace, path), {
    name: basename(path),
    acceptEdits: true,
  })
  if ((await stream.head()) !== undefined)
    throw new HoldfastError(
      'usage.not-supported',
      `${path} is a dump in one file: load it with --accept-edits`,
    )
  const pool = new ChunkPool(compressedAtOnce)
  for await (const each of stream.tables())
    yield* fileBytes(each, pool, {
      ended: (table, footer) => Object.assign(facts, footer, { table }),
    })
}

async function sameBytes(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([stat(a), stat(b)])
  return left.size === right.size && (await digestOf(a)) === (await digestOf(b))
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer)
  return digest.digest('hex')
}
