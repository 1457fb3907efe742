import type { Manifest } from './manifest.js'

/** A manifest that is right in every field; for tests of what works with manifests. */
export function exampleManifest(changes: Partial<Manifest> = {}): Manifest {
  return {
    formatVersion: 1,
    id: '20261120T130102345Z-k3f9q2',
    kind: 'database',
    created: '2026-11-20T13:01:02.345Z',
    finished: '2026-11-20T13:01:09.001Z',
    server: 'web1',
    writer: '0.1.0',
    database: { alias: 'shop', name: 'shop_production' },
    engine: 'postgresql',
    connector: 'pg-dump-custom',
    format: 'pg-custom',
    source: { product: 'PostgreSQL', version: '15.18', encoding: 'UTF8', tables: 12 },
    tools: [{ name: 'pg_dump', version: '15.18' }],
    revision: { commit: '0123456789abcdef0123456789abcdef01234567', branch: 'main', dirty: false },
    migrations: [{ tool: 'prisma', table: '_prisma_migrations', applied: ['0001_init'] }],
    schemaHash: 'sha256:00',
    options: { exclude: [], excludeData: ['sessions'], schemas: [] },
    warnings: [],
    parts: [
      {
        name: 'dump',
        role: 'dump',
        plain: { bytes: 1000, sha256: 'a'.repeat(64) },
        stages: [{ id: 'zstd', facts: {} }],
        stored: { key: 'shop/shop-web1-2026-11-20-130102.dump.zst', bytes: 300, sha256: 'b'.repeat(64) },
      },
    ],
    metadata: {},
    ...changes,
  }
}
