import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Catalog } from '../catalog/catalog.js'
import { isManifestKey } from '../catalog/keys.js'
import { largestManifestBytes, parseManifest, type Manifest } from '../catalog/manifest.js'
import type { Context } from '../env/context.js'
import type { OpenStorage } from './open-storages.js'
import type { Workspace } from './workspace.js'

/**
 * The backup that a local file is an artifact of, when the file lies where its manifest says: then its digests are known, however
 * the file was named. Manifests that cannot be read are none.
 */
export async function backupBeside(
  cx: Context,
  { registry, settings }: Workspace,
  file: string,
): Promise<{ readonly open: OpenStorage; readonly manifest: Manifest } | undefined> {
  const path = resolve(cx.env.workingDirectory, file)
  const folder = dirname(path)
  const root = dirname(folder)
  const driver = registry.storageDrivers.find((candidate) => candidate.driver === 'local')
  for (const name of (await readdir(folder)).filter(isManifestKey)) {
    const manifest = await readManifest(join(folder, name))
    const isPart = manifest?.parts.some(({ stored }) => resolve(root, stored.key) === path) ?? false
    if (manifest === undefined || !isPart || driver === undefined) continue
    const storage = await driver.open({ driver: 'local', path: root }, { name: 'file', baseDirectory: root })
    return { open: { name: root, storage, catalog: new Catalog(storage, settings.signing) }, manifest }
  }
  return undefined
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    if ((await stat(path)).size > largestManifestBytes) return undefined
    return parseManifest(await readFile(path, 'utf8'), path)
  } catch {
    return undefined
  }
}
