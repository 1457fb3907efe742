import { stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { addAbortSignal } from 'node:stream'
import type { Context } from '../../../env/context.js'
import type { DumpRequest } from '../../../engine/connector.js'
import type { ConnectionSettings } from '../../../engine/engine.js'
import type { FingerprintLevel } from '../../../engine/fingerprinter.js'
import { asHoldfastError, HoldfastError } from '../../../errors.js'
import { fileChunks } from '../../../streams/file-chunks.js'
import { ask } from '../tools.js'
import { EarlySync } from './early-sync.js'
import { guarded } from '../guarded.js'
import type { BackupOutput } from '../program/protocol.js'
import { openSource } from '../rows-source.js'
import { checkedPart, fileConnector, type DumpNotes, type MadePart } from './file-connector.js'

const progressEveryMs = 250

/** The online backup API: a snapshot of pages, WAL included, while others write. */
export const sqliteBackup = fileConnector({
  name: 'sqlite-backup',
  temporaryFile: 'a copy of the database: SQLite makes it as a file, and not from its beginning to its end',
  part: copyPart,
})

async function copyPart(
  cx: Context,
  connection: ConnectionSettings,
  { fingerprint: level = 'none', rows }: DumpRequest,
  notes: DumpNotes,
): Promise<MadePart> {
  const { warnings } = notes
  const path = connection.name
  const folder = await cx.env.temporaryDirectory()
  try {
    const copy = join(folder.path, 'copy.sqlite3')
    const { checked, fingerprint, warnings: said } = await copyInto(cx, path, copy, level)
    warnings.push(...said)
    notes.fingerprint = fingerprint
    const bytes = addAbortSignal(cx.signal, fileChunks(copy))
    const users = new Set(['part'])
    const leave = async (user: string) => {
      users.delete(user)
      if (users.size === 0) await folder.remove()
    }
    const release = () => leave('part')
    if (rows === true) {
      const source = await openSource(cx, { ...connection, name: copy }).catch((error: unknown) => {
        notes.rows.apart = asHoldfastError(error).message
      })
      if (source !== undefined) {
        users.add('rows')
        notes.rows.source = { ...source, close: () => source.close().then(() => leave('rows')) }
      }
    }
    if (!checked) return { part: checkedPart(cx, bytes, { path: copy, private: true }, warnings, release) }
    const explain = (error: unknown) => (cx.signal.aborted ? cx.signal.reason : error) as Error
    return { part: { name: 'dump', role: 'dump', bytes: guarded(bytes, { explain, release }) } }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

async function copyInto(
  cx: Context,
  path: string,
  copy: string,
  level: FingerprintLevel,
): Promise<BackupOutput & { readonly warnings: readonly string[] }> {
  const totalBytes = (await stat(path)).size
  await writeFile(copy, '', { flag: 'wx', mode: 0o600 })
  const early = await EarlySync.of(copy)
  let told = 0
  const tell = async () => {
    const bytes = (await stat(copy)).size
    early.wrote(bytes - told)
    told = bytes
    cx.emit({ type: 'progress', subject: path, phase: 'copy', bytes, totalBytes })
  }
  const timer = setInterval(() => void tell(), progressEveryMs)
  try {
    const { answer, warnings } = await ask(cx, 'backup', { path, copy, fingerprint: level })
    return { ...answer, warnings }
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'storage.full') throw error
    throw new HoldfastError('storage.full', `${dirname(copy)} has no room for a copy of ${path}`, {
      cause: error,
      hint: 'set TMPDIR to a folder with room, or use the connector sqlite-copy',
    })
  } finally {
    clearInterval(timer)
    await early.close()
  }
}
