import { commandSettings, serverSettings, unused, type UnusedSettings } from '../../engine/unused-settings.js'
import { ofMongodbAlone } from '../mongodb-settings.js'

/** What means nothing to a database that is a file and is read without a tool of the user's. */
export const unusedSettings: UnusedSettings = {
  ...unused([...commandSettings, 'toolArgs'], 'SQLite needs no tool'),
  ...unused(serverSettings, 'a SQLite database is a file, and has no accounts'),
  ...unused(['noOwner', 'noPrivileges'], 'SQLite has neither owners nor privileges'),
  ...ofMongodbAlone,
  ...unused(['singleTransaction', 'drop', 'ifExists'], 'a restore replaces the whole file, or nothing'),
}
