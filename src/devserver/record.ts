import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { HoldfastError } from '../errors.js'

/** The file that makes a folder one of a development server: what lacks it is neither used nor removed. */
export const markerName = 'holdfast-dev-server.json'

/** What is known of a server between its runs. The file holds its password, for its owner's eyes only. */
export interface ServerRecord {
  readonly formatVersion: 1
  readonly engine: string
  readonly name: string
  /** 0 for a database that is a file. */
  readonly port: number
  /** The user has chosen the port: no other one will do. */
  readonly portFixed: boolean
  readonly user: string
  readonly password: string
  readonly database: string
  /** What the data were made with; absent once `password` holds, and the database is there. */
  readonly initialPassword?: string
  readonly durable: boolean
  /** RFC 3339 in UTC. */
  readonly created: string
}

const schema = z.object({
  formatVersion: z.literal(1),
  engine: z.string().min(1),
  name: z.string().min(1),
  port: z.int().min(0).max(65_535),
  portFixed: z.boolean(),
  user: z.string(),
  password: z.string(),
  database: z.string(),
  initialPassword: z.string().optional(),
  durable: z.boolean(),
  created: z.iso.datetime(),
})

/** @throws devserver.foreign-folder for a folder that holds something, and no marker that can be read */
export async function readServerRecord(folder: string): Promise<ServerRecord | undefined> {
  let text: string
  try {
    text = await readFile(join(folder, markerName), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(folder, error)
    const present = await readdir(folder).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT') return []
      throw unreadable(folder, thrown)
    })
    // One that was being written when the power went.
    if (present.every((name) => name === `${markerName}.new`)) return undefined
    throw new HoldfastError(
      'devserver.foreign-folder',
      `${folder} has no ${markerName}: holdfast dev did not make it`,
    )
  }
  try {
    const { initialPassword, ...record } = schema.parse(JSON.parse(text))
    return { ...record, ...(initialPassword === undefined ? {} : { initialPassword }) }
  } catch (error) {
    throw new HoldfastError(
      'devserver.foreign-folder',
      `${join(folder, markerName)} is not a record of a development server`,
      {
        cause: error,
      },
    )
  }
}

function unreadable(folder: string, cause: unknown): HoldfastError {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code !== 'EACCES' && code !== 'EPERM')
    return new HoldfastError('devserver.foreign-folder', `${folder} cannot be read: ${message}`, { cause })
  return new HoldfastError('devserver.no-access', `${folder} belongs to another account`, {
    cause,
    hint: `use the account that made it, or give it to this one: sudo chown -R "$(id -u):$(id -g)" '${folder}'`,
  })
}

export async function writeServerRecord(folder: string, record: ServerRecord): Promise<void> {
  const file = join(folder, markerName)
  await writeFile(`${file}.new`, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600, flush: true })
  await rename(`${file}.new`, file)
}
