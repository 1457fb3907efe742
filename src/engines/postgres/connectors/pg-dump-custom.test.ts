import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import { connectorContract } from '../../../testing/connector-contract.js'
import { plainTools } from '../../../testing/plain-tools.js'
import { contractFixture } from '../test-fixture.js'
import { pgDumpCustom } from './pg-dump-custom.js'

const postgresql = needsServer('postgresql')

postgresql.describe('pg-dump-custom keeps the promises of a connector', () => {
  if (postgresql.missing !== undefined) return
  for (const { name, run } of connectorContract(contractFixture(postgresql.server(), pgDumpCustom)))
    it(name, run)
})

/** A pg_restore that is newer than the server does not restore by itself: it makes SQL for psql. */
postgresql.describe('pg-dump-custom with a newer pg_restore keeps the promises of a restore', () => {
  if (postgresql.missing !== undefined) return
  const server = postgresql.server()
  const folder = mkdtempSync(join(tmpdir(), 'newer-client-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const newer = join(folder, 'pg_restore')
  const real = join(server.binDirectory, 'pg_restore')
  writeFileSync(
    newer,
    `#!/bin/sh\n[ "$1" = --version ] && echo "pg_restore (PostgreSQL) 99.1" && exit\nexec '${real}' "$@"\n`,
    { mode: 0o755 },
  )
  const checks = connectorContract({
    ...contractFixture(server, pgDumpCustom),
    settings: () => ({ tools: { ...plainTools, restoreCommand: [newer] } }),
  }).filter(({ name }) => /restor|clean|create|source|cut/u.test(name))

  it('as many as there are', () => expect(checks.length).toBeGreaterThan(12))
  for (const { name, run } of checks) it(name, run)
})
