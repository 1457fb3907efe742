import type { Manifest } from '../catalog/manifest.js'
import type { RetentionSubject } from './plan.js'

/** A backup by its time: `2026-03-15T12:00Z`; a `!` after it means damaged. */
export function backup(text: string): RetentionSubject {
  const created = new Date(text.replace('!', ''))
  const id = `${created.toISOString().replace(/[-:.]/gu, '')}-aaaaaa`
  return { id, created, good: !text.endsWith('!'), manifest: manifestOf(id, created) }
}

function manifestOf(id: string, created: Date): Manifest {
  return {
    formatVersion: 1,
    id,
    kind: 'database',
    created: created.toISOString(),
    finished: created.toISOString(),
    server: 'db1',
    writer: '0.1.0',
    database: { alias: 'shop', name: 'shop' },
    engine: 'sqlite',
    connector: 'sqlite-backup',
    format: 'sqlite-file',
    source: { product: 'SQLite', version: '3.50.0', tables: 3 },
    tools: [],
    migrations: [],
    schemaHash: '',
    options: { exclude: [], excludeData: [], schemas: [] },
    warnings: [],
    parts: [],
    metadata: { release: created.getUTCDate() === 13 },
  }
}

/** Noon in UTC of so many days before the 15th of March 2026, a Sunday. */
export function noons(...daysBefore: number[]): string[] {
  return daysBefore.map((days) => new Date(Date.UTC(2026, 2, 15 - days, 12)).toISOString())
}

/** When the plans of the tests are made. */
export const now = new Date('2026-03-15T18:00:00Z')
