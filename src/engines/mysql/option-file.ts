import type { ConnectionSettings } from '../../engine/engine.js'
import type { Env, TemporaryDirectory } from '../../env/env.js'
import { HoldfastError } from '../../errors.js'
import type { Product } from './identity.js'
import { tlsOf, toolTls } from './tls.js'

export const defaultPort = 3306

export interface OptionFile {
  /** Must be the first argument of the program: neither the machine's nor the user's own option files are read then. */
  readonly argument: string
  /** Keeps MySQL's programs from reading ~/.mylogin.cnf, which they do in spite of the argument. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Writes user, password and address into a private file (0600, in a folder of mode 0700): nothing of it stands in argv or in
 * the environment. Everything is written, also what has a default, since the programs have defaults of their own (the socket
 * for `localhost`, MYSQL_PWD, MYSQL_HOST) that would lead them elsewhere than the connection that was asked first.
 * @throws config.invalid
 */
export async function writeOptionFile(
  { variables }: Env,
  folder: TemporaryDirectory,
  settings: ConnectionSettings,
  family: Product,
): Promise<OptionFile> {
  const address: readonly (readonly [string, string])[] =
    settings.socket === undefined
      ? [
          ['host', hostOf(settings)],
          ['port', String(settings.port ?? defaultPort)],
          ['protocol', 'TCP'],
        ]
      : [
          ['socket', settings.socket],
          ['protocol', 'SOCKET'],
        ]
  const options = [
    ['user', userOf(variables, settings)],
    ['password', settings.password?.reveal() ?? ''],
    ...address,
    ...toolTls(tlsOf(settings), family),
  ] as const
  const lines = options.map(([name, value]) => `${name}=${optionValue(name, value)}`)
  const file = await folder.writeFile('client.cnf', ['[client]', ...lines, ''].join('\n'))
  return {
    argument: `--defaults-file=${file}`,
    env: { MYSQL_TEST_LOGIN_FILE: `${file}.no-login-path` },
  }
}

/** The host that is meant where none is named. */
export function hostOf({ host }: ConnectionSettings): string {
  return host ?? 'localhost'
}

/** As the programs have it: without a configured user it is the user of the operating system. */
export function userOf(variables: Env['variables'], { user }: ConnectionSettings): string {
  return user ?? variables['USER'] ?? variables['USERNAME'] ?? 'root'
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
}

/**
 * A value in double quotes, in which blanks and `#` keep their meaning
 * (https://dev.mysql.com/doc/refman/8.4/en/option-files.html, "Option File Syntax").
 */
export function optionValue(name: string, value: string): string {
  // The programs read lines of 4096 bytes and would take the rest for another option.
  if (value.includes('\0') || Buffer.byteLength(value) > 2_000) {
    throw new HoldfastError('config.invalid', `the ${name} is too long, or holds a zero byte`)
  }
  return `"${value.replace(/[\\"\b\t\n\r]/gu, (character) => escapes[character] ?? character)}"`
}
