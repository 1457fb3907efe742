import { Readable } from 'node:stream'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import type { ObjectKey, PutOptions, Storage, StoredObject } from '../storages/storage.js'
import { largestManifestBytes } from './manifest.js'

/** A small object as text. @throws storage.*, integrity.manifest where it is larger than any manifest */
export async function readText(cx: Context, storage: Storage, key: ObjectKey): Promise<string> {
  return (await readBytes(cx, storage, key)).toString('utf8')
}

/** A small object. @throws storage.*, integrity.manifest where it is larger than any manifest */
export async function readBytes(cx: Context, storage: Storage, key: ObjectKey): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of await storage.get(cx, key)) {
    bytes += (chunk as Buffer).length
    if (bytes > largestManifestBytes) {
      throw new HoldfastError('integrity.manifest', `${key} is larger than any manifest`, {
        details: { key },
      })
    }
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

/** Writes it and looks whether it is there. @returns what the storage says of it. @throws storage.* */
export async function putText(
  cx: Context,
  storage: Storage,
  key: ObjectKey,
  text: string,
  options: PutOptions = {},
): Promise<StoredObject> {
  const body = Buffer.from(text, 'utf8')
  await storage.put(cx, key, Readable.from([body]), options)
  const stored = await storage.stat(cx, key)
  if (stored?.bytes !== body.length) {
    throw new HoldfastError('storage.failed', `${key} is not in the storage as it was written`, {
      details: { key },
    })
  }
  return stored
}
