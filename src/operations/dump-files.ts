import { Transform } from 'node:stream'
import { makeFolder } from '../streams/durable-folder.js'
import { outputError } from './output-error.js'

/** Stands behind a name as long as the file is not whole. */
export const partial = '.partial'

/** A folder, with those above it. @throws storage.denied, storage.full */
export async function made(folder: string, mode?: number): Promise<void> {
  await makeFolder(folder, mode).catch((error: unknown) => {
    throw outputError(error, folder)
  })
}

export function counted(add: (length: number) => void): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      add(chunk.length)
      done(null, chunk)
    },
  })
}

/** A name is anything; a file's name is not. */
export function tableFileName(table: string, ending = ''): string {
  const safe = table
    .replace(/[^\p{L}\p{N}._-]/gu, (each) => `%${Buffer.from(each).toString('hex')}`)
    .replace(/^\./u, '%2e')
  return `tables/${safe}.ndjson${ending}`
}
