import type { Settings } from '../config/settings.js'
import { redactAll, secretsIn } from '../env/redaction.js'
import type { Secret } from '../env/secret.js'

/** What takes every secret that the settings and the request know out of a text. */
export function redaction(settings: Settings, request: object): (text: string) => string {
  const { databases, storages, stages, notifiers } = settings
  const secrets: readonly Secret[] = secretsIn([
    [...databases.values()].map(({ connection, backupConnection, admin, tools }) => [
      connection,
      backupConnection,
      admin,
      tools,
    ]),
    [...storages.values()].map((storage) => storage.settings),
    stages.map((stage) => stage.settings),
    notifiers,
    request,
  ])
  return (text) => redactAll(text, secrets)
}
