import { portablePart } from '../catalog/parts.js'
import type { DatabaseSettings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { TableSource } from '../portable/table-source.js'
import { readArtifact } from './artifact-reader.js'
import { openFileSource } from './file-source.js'
import { firstUsable } from './first-usable.js'
import type { OpenStorage } from './open-storages.js'
import type { BackupChoice } from './portable-requests.js'
import type { StoredBackup } from './reports.js'
import { copiesOf } from './restore-find.js'
import { notice, type Workspace } from './workspace.js'

/** The portable dump of a backup, in the first storage whose copy can be read. @throws usage.*, integrity.*, storage.* */
export async function openPortableBackup(
  cx: Context,
  workspace: Workspace,
  target: DatabaseSettings,
  wanted: string,
  { storage, fromDatabase }: BackupChoice,
): Promise<TableSource> {
  const database = fromDatabase ?? (wanted === 'latest' ? target.alias : undefined)
  const filter = {
    kind: 'database' as const,
    ...(storage === undefined ? {} : { storage }),
    ...(database === undefined ? {} : { database }),
  }
  const copies = await copiesOf(cx, workspace, wanted, filter, (open, backup) =>
    openCopy(cx, workspace, open, backup),
  )
  const { found } = await firstUsable(cx, copies, () => Promise.resolve())
  for (const warning of found.warnings ?? []) notice(workspace, 'warning', warning)
  return { ...found, close: () => found.close().finally(() => found.dispose()) }
}

/** The portable dump of a backup, as its storage has it. @throws as openPortableBackup */
export async function openPortablePart(
  cx: Context,
  workspace: Workspace,
  backup: StoredBackup,
): Promise<TableSource> {
  return openCopy(cx, workspace, await workspace.storages.get(backup.storage), backup)
}

/** The digests of the manifest are compared where the stream ends, which is before a load keeps anything. */
async function openCopy(
  cx: Context,
  workspace: Workspace,
  open: OpenStorage,
  { manifest, distrust }: StoredBackup,
): Promise<TableSource & { readonly warnings?: readonly string[] }> {
  if (distrust !== undefined) throw distrust
  const part = portablePart(manifest)
  if (part === undefined)
    throw new HoldfastError('usage.not-supported', `backup ${manifest.id} holds no portable dump`, {
      hint: 'restore it; backup --also-portable makes one that holds both',
    })
  const decoding = { kinds: workspace.registry.stages, keys: workspace.keys }
  const bytes = await readArtifact(cx, open.storage, part, decoding)
  try {
    return { ...(await openFileSource(cx, workspace, bytes, false)), name: `backup ${manifest.id}` }
  } catch (error) {
    bytes.destroy()
    throw error
  }
}
