/** Settings of a database that its connector has no use for, with the reason: they are refused, and never ignored. */
export type UnusedSettings = Readonly<Record<string, string>>

/** For connectors that run a tool of the user's. */
export const commandSettings = [
  'dumpCommand',
  'restoreCommand',
  'psqlCommand',
  'dumpPrefix',
  'dumpSuffix',
  'restorePrefix',
  'restoreSuffix',
  'env',
  'dumpEnv',
  'restoreEnv',
  'inheritEnv',
]

/** For databases on a server that asks who one is. */
export const serverSettings = ['host', 'port', 'socket', 'user', 'password', 'adminUser', 'adminPassword']

/** All of these settings, for the same reason. */
export function unused(settings: readonly string[], why: string): UnusedSettings {
  return Object.fromEntries(settings.map((setting) => [setting, why]))
}
