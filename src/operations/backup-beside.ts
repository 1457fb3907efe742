import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Catalog } from '../catalog/catalog.js'
import { wrongSignature } from '../catalog/chain-check.js'
import { isManifestKey } from '../catalog/keys.js'
import { largestManifestBytes, parseManifestDocument, type Manifest } from '../catalog/manifest.js'
import { nativeParts } from '../catalog/parts.js'
import type { Context } from '../env/context.js'
import type { OpenStorage } from './open-storages.js'
import type { StoredBackup } from './reports.js'
import type { Workspace } from './workspace.js'

/**
 * The backup that a local file is an artifact of, when the file lies where its manifest says: then its digests are known, however
 * the file was named. Manifests that cannot be read are none.
 */
export async function backupBeside(
  cx: Context,
  { registry, settings }: Workspace,
  file: string,
): Promise<{ readonly open: OpenStorage; readonly backup: StoredBackup } | undefined> {
  const path = resolve(cx.env.workingDirectory, file)
  const driver = registry.storageDrivers.find((candidate) => candidate.driver === 'local')
  // An artifact that is not alone is in a folder of its backup.
  for (const [folder, name] of [
    ...(await manifestsIn(dirname(path))),
    ...(await manifestsIn(dirname(dirname(path)))),
  ]) {
    const root = dirname(folder)
    const read = await readManifest(join(folder, name))
    const parts = read === undefined ? [] : nativeParts(read.manifest)
    const isPart = parts.some(({ stored }) => resolve(root, stored.key) === path)
    if (read === undefined || !isPart || driver === undefined) continue
    const { manifest, document } = read
    const signature = settings.signing.check(document)
    const distrust = wrongSignature(manifest.id, signature)
    const backup = { storage: root, manifest, signature, ...(distrust === undefined ? {} : { distrust }) }
    const storage = await driver.open({ driver: 'local', path: root }, { name: 'file', baseDirectory: root })
    return { open: { name: root, storage, catalog: new Catalog(storage, settings.signing) }, backup }
  }
  return undefined
}

async function manifestsIn(folder: string): Promise<readonly (readonly [folder: string, name: string])[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter(isManifestKey).map((name) => [folder, name])
}

async function readManifest(
  path: string,
): Promise<{ readonly manifest: Manifest; readonly document: unknown } | undefined> {
  try {
    if ((await stat(path)).size > largestManifestBytes) return undefined
    return parseManifestDocument(await readFile(path, 'utf8'), path)
  } catch {
    return undefined
  }
}
