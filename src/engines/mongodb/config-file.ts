import type { ConnectionSettings } from '../../engine/engine.js'
import type { TemporaryDirectory } from '../../env/env.js'
import { Secret } from '../../env/secret.js'
import { connectionString } from './connection.js'

/**
 * Writes the whole connection string, with the password, into a private file (0600, in a folder of mode 0700) for the tools'
 * `--config`, so that nothing of it stands in argv or in the environment. Known to the tools since version 100.3.
 * @throws config.invalid
 */
export async function writeConfigFile(
  folder: TemporaryDirectory,
  settings: ConnectionSettings,
): Promise<string> {
  return folder.writeFile('tools.yaml', `uri: ${quoted(withPassword(settings))}\n`)
}

/** What must not be shown of a tool's messages: the password as it is, and as it stands in the connection string. */
export function secretsOf({ password }: ConnectionSettings): readonly Secret[] {
  return password === undefined ? [] : [password, new Secret(encodeURIComponent(password.reveal()))]
}

function withPassword(settings: ConnectionSettings): string {
  const text = connectionString(settings)
  const { user, password } = settings
  if (user === undefined || password === undefined) return text
  const login = encodeURIComponent(user)
  return text.replace(`//${login}@`, () => `//${login}:${encodeURIComponent(password.reveal())}@`)
}

/** YAML in double quotes; what is not plain ASCII is percent-encoded in a connection string, except in file names. */
function quoted(text: string): string {
  const escaped = text.replace(/["\\]|[^ -~]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\U${code.toString(16).padStart(8, '0')}`
  })
  return `"${escaped}"`
}
