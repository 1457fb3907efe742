import type { ConnectorCapabilities, DumpRequest, RestoreRequest } from '../../../engine/connector.js'
import { HoldfastError } from '../../../errors.js'

/** @throws usage.not-supported for a setting that the connector does not know */
export function requireSupported(
  connector: string,
  capabilities: ConnectorCapabilities,
  request: Partial<Pick<DumpRequest, 'exclude' | 'excludeData'>> &
    Pick<DumpRequest | RestoreRequest, 'schemas'>,
): void {
  for (const setting of ['exclude', 'excludeData', 'schemas'] as const) {
    if ((request[setting] ?? []).length === 0 || capabilities[setting]) continue
    const hint =
      setting === 'schemas' ? 'SQLite has no schemas: leave the setting out' : 'use the connector sqlite-dump'
    throw new HoldfastError('usage.not-supported', `${connector} cannot do ${setting}`, { hint })
  }
}
