import type { UnusedSettings } from '../engine/unused-settings.js'

/** Settings that MongoDB alone understands, for the connectors of all other engines, with what comes nearest there. */
export const ofMongodbAlone: UnusedSettings = {
  authSource: 'only MongoDB keeps accounts in databases; elsewhere user is all there is',
  objcheck: 'only MongoDB has documents; every restore compares the digests of its backup anyway',
}
