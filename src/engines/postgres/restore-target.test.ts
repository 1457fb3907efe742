import { randomBytes } from 'node:crypto'
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import type { ConnectorFactory } from '../../engine/connector.js'
import { Secret } from '../../env/secret.js'
import { restoreRequest, restoreSource } from '../../testing/connector-contract.js'
import { pgDump } from './connectors/pg-dump.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { identifier } from './quoting.js'
import { contentOf, factories, rawDump, restore, RestoreBench } from './test-restore.js'
import { connectorSettings, dumpBytes, execute, testContext, type SettingsChanges } from './test-fixture.js'

const server = needsServer('postgresql')
const bench = new RestoreBench(server)

server.describe('what a restore needs', () => {
  it('FAILURES 33: a missing role is found before, and noOwner does without it', async () => {
    const role = `r o"le ${randomBytes(4).toString('hex')}`
    await execute(server.server(), 'postgres', `CREATE ROLE ${identifier(role)}`)
    const owned = await bench.filled()
    await owned.execute(
      `ALTER TABLE child OWNER TO ${identifier(role)}; GRANT SELECT ON parent TO ${identifier(role)}`,
    )
    const { bytes } = await dumpBytes(connectorSettings(owned.connection), pgDumpCustom)
    await owned.drop()
    await execute(server.server(), 'postgres', `DROP ROLE ${identifier(role)}`)
    const target = await bench.filled()
    const old = await contentOf(target)
    const attempt = (options: object) => restore(pgDumpCustom, target, bytes, {}, { options })
    const missing = {
      code: 'database.requirement-missing',
      message: `the server of the target does not have the role ${role}`,
    }
    await expect(attempt({})).rejects.toMatchObject(missing)
    await expect(attempt({ noOwner: true })).rejects.toMatchObject(missing)
    expect(await contentOf(target)).toEqual(old)
    await attempt({ noOwner: true, noPrivileges: true })
  })

  it('what the backup does not have is said to stay, and a dump that drops nothing to do so', async () => {
    const target = await bench.filled()
    await target.execute('CREATE TABLE extra (a int)')
    const plan = async (factory: ConnectorFactory, options = {}) => {
      const { bytes } = await dumpBytes(connectorSettings(bench.original.connection, { options }), factory)
      const connector = factory.create(connectorSettings(target.connection))
      return connector.prepareRestore(
        testContext(),
        restoreSource(bytes),
        restoreRequest({ clean: 'objects' }),
      )
    }
    const ofArchive = await plan(pgDumpCustom)
    expect(ofArchive.clean).toBeUndefined()
    expect(ofArchive.warnings.join()).toMatch(/the backup does not have public\.extra of .*: left as it is/u)
    const ofPlain = await plan(pgDump, { drop: false })
    expect([ofPlain.clean, ofPlain.losses]).toEqual(['none', []])
    expect(ofPlain.warnings.join()).toContain('the dump drops nothing')
  })

  it('FAILURES 33: a missing extension is found before', async () => {
    const extended = await bench.empty()
    await extended.execute('CREATE EXTENSION citext')
    const { bytes } = await dumpBytes(connectorSettings(extended.connection), pgDumpCustom)
    const altered = Buffer.from(bytes.toString('latin1').replaceAll('citext', 'nosuch'), 'latin1')
    const connector = pgDumpCustom.create(connectorSettings((await bench.empty()).connection))
    await expect(
      connector.prepareRestore(testContext(), restoreSource(altered), restoreRequest()),
    ).rejects.toMatchObject({
      code: 'database.requirement-missing',
      message: 'the server of the target does not have the extension nosuch',
    })
  })

  it('FAILURES 38: an older server is warned of, and a pg_restore that cannot read the archive refused', async () => {
    for (const factory of factories) {
      const { bytes } = await dumpBytes(connectorSettings(bench.original.connection), factory)
      const text = bytes.toString('latin1')
      const major = server.server().version.split('.')[0] ?? ''
      const newer = Buffer.from(text.replaceAll(`${major}.`, `${'9'.repeat(major.length)}.`), 'latin1')
      const connector = factory.create(connectorSettings((await bench.empty()).connection))
      const { warnings } = await connector.prepareRestore(
        testContext(),
        restoreSource(newer),
        restoreRequest(),
      )
      expect(warnings).toEqual([
        expect.stringMatching(/^the dump is of PostgreSQL 99\.\d+ and the target is \d+/u),
      ])
    }
    const { bytes } = await dumpBytes(connectorSettings(bench.original.connection), pgDumpCustom)
    const folder = await mkdtemp(join(tmpdir(), 'restore-test-'))
    try {
      const old = join(folder, 'pg_restore')
      await writeFile(old, '#!/bin/sh\necho "pg_restore (PostgreSQL) 8.4.22"\n')
      await chmod(old, 0o755)
      await expect(
        restore(pgDumpCustom, await bench.empty(), bytes, {}, { tools: { restoreCommand: [old] } }),
      ).rejects.toMatchObject({
        code: 'tool.too-old',
        message: expect.stringMatching(/needs pg_restore \d+ or newer; installed: 8\.4\.22/u) as string,
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('FAILURES 67: the COMMIT that a plain dump has for its large objects commits nothing', async () => {
    const { bytes, target, old } = await bench.prepared(pgDump)
    const text = bytes.toString('latin1')
    expect(text).toMatch(/^COMMIT;$/mu)
    const failing = text.replace('--\n-- PostgreSQL database dump complete', 'SELECT 1/0;\n\n$&')
    await expect(restore(pgDump, target, Buffer.from(failing, 'latin1'))).rejects.toMatchObject({
      code: 'tool.failed',
      message: expect.stringContaining('division by zero') as string,
    })
    expect(await contentOf(target)).toEqual(old)
  })

  it('FAILURES 38: what newer tools say to every server does not stop an older one', async () => {
    const text = bench.dump(pgDump).toString('latin1')
    const newer = text.replace('SET lock_timeout = 0;', '$&\nSET transaction_timeout = 0;')
    expect(newer).not.toBe(text)
    const target = await bench.empty()
    await restore(pgDump, target, Buffer.from(newer, 'latin1'))
    expect(await contentOf(target)).toEqual(await contentOf(bench.original))
  })

  it('FAILURES 75: psql runs no command of a hostile dump', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'restore-test-'))
    try {
      const text = (await rawDump(bench.original, '--format=plain')).toString()
      const [, key = ''] = /\\restrict (\w+)/u.exec(text) ?? []
      for (const hostile of [
        // It lifts the restriction that it has itself set, or has none.
        text.replace('CREATE TABLE', `\\unrestrict ${key}\n\\! touch ${folder}/run\nCREATE TABLE`),
        text
          .replace(/^\\(un)?restrict .*$/gmu, '')
          .replace('CREATE TABLE', `\\! touch ${folder}/run\nCREATE TABLE`),
      ]) {
        const target = await bench.empty()
        await expect(restore(pgDump, target, Buffer.from(hostile))).rejects.toMatchObject({
          code: 'tool.failed',
          message: expect.stringContaining('restrict') as string,
        })
        await expect(access(join(folder, 'run'))).rejects.toMatchObject({ code: 'ENOENT' })
        expect(await target.tables()).toEqual([])
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('adminUser makes the database, and its owner is the user', async () => {
    const user = `u_${randomBytes(4).toString('hex')}`
    await execute(server.server(), 'postgres', `CREATE ROLE ${user} LOGIN PASSWORD 'own password'`)
    const { bytes } = await dumpBytes(connectorSettings(bench.original.connection), pgDumpCustom)
    const target = bench.absent()
    try {
      const connection = { ...target.connection, user, password: new Secret('own password') }
      const attempt = (changes: SettingsChanges) =>
        pgDumpCustom
          .create(connectorSettings(connection, { options: { noOwner: true }, ...changes }))
          .restore(testContext(), restoreSource(bytes), restoreRequest({ create: true }))
      await expect(attempt({})).rejects.toMatchObject({
        code: 'database.denied',
        message: `${user} may not create databases`,
        hint: expect.stringContaining('adminUser') as string,
      })
      const { user: adminUser, password } = server.server()
      await attempt({ admin: { user: adminUser, password: new Secret(password) } })
      expect(await target.digest()).toEqual(await bench.original.digest())
      expect(
        await target.rows(
          `SELECT DISTINCT tableowner::text AS owner FROM pg_tables WHERE schemaname = 'public'`,
        ),
      ).toEqual([{ owner: user }])
    } finally {
      await target.drop()
      await execute(server.server(), 'postgres', `DROP ROLE ${user}`)
    }
  })

  it('a schema of the dump that is not in it is an error; a failed restore leaves no empty schema', async () => {
    const apart = await bench.empty()
    await apart.execute(
      'CREATE TABLE common (i int PRIMARY KEY); CREATE SCHEMA app; CREATE TABLE app.t (i int REFERENCES public.common)',
    )
    const { bytes } = await dumpBytes(connectorSettings(apart.connection), pgDumpCustom)
    const target = await bench.empty()
    await expect(restore(pgDumpCustom, target, bytes, { schemas: ['nowhere'] })).rejects.toMatchObject({
      code: 'usage.pattern-unmatched',
    })
    // Its foreign key leads out of the schema.
    await expect(restore(pgDumpCustom, target, bytes, { schemas: ['app'] })).rejects.toMatchObject({
      code: 'tool.failed',
    })
    expect(await target.rows(`SELECT FROM pg_namespace WHERE nspname = 'app'`)).toEqual([])
  })

  it('default privileges of the target, which the restored objects get too, are said', async () => {
    const { bytes, target } = await bench.prepared(pgDumpCustom)
    const connector = pgDumpCustom.create(connectorSettings(target.connection))
    const warnings = async (clean: 'objects' | 'database') =>
      (
        await connector.prepareRestore(
          testContext(),
          restoreSource(bytes),
          restoreRequest({ clean, disconnect: true }),
        )
      ).warnings
    expect(await warnings('objects')).toEqual([])
    await target.execute('ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC')
    expect(await warnings('objects')).toEqual([
      expect.stringMatching(/^the database has default privileges for what holdfast makes/u),
    ])
    expect(await warnings('database')).toEqual([])
  })

  it('prepareRestore names the tool and what is lost', async () => {
    const { bytes, target } = await bench.prepared(pgDumpCustom)
    const connector = pgDumpCustom.create(connectorSettings(target.connection))
    const plan = await connector.prepareRestore(testContext(), restoreSource(bytes), restoreRequest())
    const { host, port } = server.server()
    expect(plan.place).toBe(`postgresql://${host}:${port}/${target.name}`)
    expect(plan.losses).toEqual([
      `4 objects of ${plan.place} are dropped and made anew: public.child, public.parent, public.script, public.seen`,
    ])
    expect(plan.tools).toMatchObject([{ name: 'pg_restore' }])
  })
})
