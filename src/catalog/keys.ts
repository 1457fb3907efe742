import { objectKey, safeSegment } from '../storages/object-key.js'
import type { ObjectKey } from '../storages/storage.js'

const manifestEnding = '.manifest.json'
const pendingEnding = '.pending.json'
const chainEnding = '.chain.json'

/** Where runs say what they are doing. */
export const leaseFolder = 'holdfast-leases/'

export function isLeaseKey(key: string): boolean {
  return key.startsWith(leaseFolder)
}

/** Where the texts of manifests lie once more, for lists of many. */
export const indexKey = objectKey('holdfast-index/manifests.jsonl.gz')

/** What the keys of a database's objects begin with. */
export function folderOf(alias: string): string {
  return `${safeSegment(alias)}/`
}

/** Where the manifest of a backup lies. */
export function manifestKey(alias: string, id: string): ObjectKey {
  return objectKey(`${safeSegment(alias)}/${id}${manifestEnding}`)
}

/** Where the record of a backup that is being made or removed lies. */
export function pendingKey(alias: string, name: string): ObjectKey {
  return objectKey(`${safeSegment(alias)}/${safeSegment(name)}${pendingEnding}`)
}

/** Where the record of the chain of signed backups lies. */
export function chainKey(alias: string): ObjectKey {
  return objectKey(`${safeSegment(alias)}/signed${chainEnding}`)
}

/** Where an artifact lies: the file name itself, or a folder of that name with a file for each of several parts. */
export function artifactKey(alias: string, filename: string, part?: string): ObjectKey {
  const folder = `${safeSegment(alias)}/${safeSegment(filename)}`
  return objectKey(part === undefined ? folder : `${folder}/${safeSegment(part)}`)
}

export function isManifestKey(key: string): boolean {
  return key.endsWith(manifestEnding)
}

export function isPendingKey(key: string): boolean {
  return key.endsWith(pendingEnding)
}

export function isChainKey(key: string): boolean {
  return key.endsWith(`/signed${chainEnding}`)
}

/** The id in the key of a manifest. */
export function idOfManifestKey(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1, -manifestEnding.length)
}
