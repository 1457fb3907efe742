import { commandSettings, unused, type UnusedSettings } from '../../engine/unused-settings.js'

/** What means nothing to MongoDB, however it is dumped. */
export const unusedSettings: UnusedSettings = {
  ...unused(['adminUser', 'adminPassword'], 'it runs no privileged statements'),
  ...unused(['singleTransaction'], 'MongoDB cannot restore in one transaction'),
  ...unused(['ifExists'], 'MongoDB drops what is there, and nothing else'),
  ...unused(['noOwner', 'noPrivileges'], 'its dumps hold neither owners nor privileges'),
  psqlCommand: 'it runs no psql',
}

/** And what the driver, which does the tools' work, needs none of. */
export const unusedByDriver: UnusedSettings = {
  ...unusedSettings,
  ...unused([...commandSettings, 'toolArgs'], 'it runs no tool'),
  objcheck: 'the server looks into every document itself',
}
