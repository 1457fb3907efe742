import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context } from '../../env/context.js'
import type { Env } from '../../env/env.js'
import { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'

/** How the password reaches libpq: never in arguments, never in the environment itself. */
export interface PasswordFile {
  /** The variables that name the file. Empty without a password: then libpq looks into the user's own file. */
  readonly env: Readonly<Record<string, string>>
  /** Removes the file; called on every exit path. */
  remove(): Promise<void>
}

/**
 * A private file with one line for any connection (https://www.postgresql.org/docs/current/libpq-pgpass.html): whoever reads
 * it makes one connection only.
 * @throws config.invalid for a password with a line break, which the file cannot hold
 */
export async function writePasswordFile(cx: Context, password: Secret | undefined): Promise<PasswordFile> {
  if (password === undefined) return { env: {}, remove: () => Promise.resolve() }
  const value = password.reveal()
  if (/[\n\0]/u.test(value)) {
    throw new HoldfastError('config.invalid', 'the password holds a line break, which a passfile cannot hold')
  }
  const folder = await cx.env.temporaryDirectory()
  try {
    const line = `*:*:*:*:${value.replace(/[:\\]/gu, '\\$&')}`
    // No line break at the end: libpq would take a carriage return before it as part of the break.
    const file = await folder.writeFile('pgpass', line)
    // An empty PGPASSWORD is none; an inherited one would come before the file.
    return { env: { PGPASSFILE: file, PGPASSWORD: '' }, remove: () => folder.remove() }
  } catch (error) {
    await folder.remove()
    throw error
  }
}

export interface PasswordQuestion {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
}

/** What the user's own password file says for a connection, by libpq's rules; the driver asks it where none is configured. */
export async function lookUpPassword(env: Env, question: PasswordQuestion): Promise<Secret | undefined> {
  const file = ownPasswordFile(env)
  try {
    const { mode } = await stat(file)
    // libpq ignores a file that others can read, and says so when one of its tools runs.
    if (env.platform !== 'win32' && (mode & 0o077) !== 0) return undefined
    return passwordFor(await readFile(file, 'utf8'), question)
  } catch {
    // No file, or none that can be read: there is no password then, and the server's answer says what is wrong.
    return undefined
  }
}

function ownPasswordFile({ variables, platform, homeDirectory }: Env): string {
  const named = variables['PGPASSFILE']
  if (named !== undefined && named !== '') return named
  const windows = join(variables['APPDATA'] ?? homeDirectory, 'postgresql', 'pgpass.conf')
  return platform === 'win32' ? windows : join(homeDirectory, '.pgpass')
}

/** The first line whose first four fields all fit, `*` fitting everything. */
export function passwordFor(
  text: string,
  { host, port, database, user }: PasswordQuestion,
): Secret | undefined {
  // A socket stands under its folder or, the usual folder, under localhost.
  const hosts = host.startsWith('/') ? [host, 'localhost'] : [host]
  const wanted = [hosts, [String(port)], [database], [user]]
  for (const line of text.split(/\r?\n/u)) {
    if (line.startsWith('#')) continue
    const fields = splitLine(line)
    const password = fields[4]
    if (password === undefined || password === '') continue
    const fits = wanted.every(
      (values, index) => fields[index] === '*' || values.includes(fields[index] ?? ''),
    )
    if (fits) return new Secret(password)
  }
  return undefined
}

/** Five fields apart by colons; a backslash makes the next character an ordinary one. The password ends with its line. */
function splitLine(line: string): readonly string[] {
  const fields = ['']
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? ''
    if (character === '\\' && at + 1 < line.length) fields[fields.length - 1] += line[++at] ?? ''
    else if (character === ':' && fields.length < 5) fields.push('')
    else fields[fields.length - 1] += character
  }
  return fields
}
