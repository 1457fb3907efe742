import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { restoreRequest } from '../../testing/connector-contract.js'
import { pgDump } from './connectors/pg-dump.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { childRunning, largeTable, onLinux, startedDump, withoutProc } from './test-running-tools.js'
import { connectorSettings, dumpBytes, TestDatabase, testContext } from './test-fixture.js'
import { stalled } from './test-restore.js'

const server = needsServer('postgresql')

server.describe('command settings', () => {
  let database: TestDatabase
  let folder: string
  beforeAll(async () => {
    database = await new TestDatabase(server.server()).make()
    await database.execute(largeTable)
    folder = await mkdtemp(join(tmpdir(), 'dump-test-'))
    // Notes its words and its environment, then does what it stands for.
    const real = join(server.server().binDirectory, 'pg_dump')
    await writeFile(
      join(folder, 'wrapper'),
      `#!/bin/sh\n[ "$1" = --version ] || { printf '%s\\n' "$@" > '${folder}/words'; env > '${folder}/env'; }\nexec '${real}' "$@"\n`,
    )
    await chmod(join(folder, 'wrapper'), 0o755)
  })
  afterAll(async () => {
    await database.drop()
    await rm(folder, { recursive: true })
  })
  const noted = async (name: string) => (await readFile(join(folder, name), 'utf8')).trimEnd().split('\n')

  it.skipIf(withoutProc)(onLinux('dumpPrefix stands before the program: nice'), async () => {
    const { drain } = await startedDump(
      pgDumpCustom,
      connectorSettings(database.connection, { tools: { dumpPrefix: ['nice', '-n', '10'] } }),
    )
    // nice becomes the program that it starts.
    const pid = await childRunning('pg_dump')
    const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
    expect(stat[16]).toBe('10')
    expect(await drain()).toBeGreaterThan(15e6)
  })

  it('dumpCommand, dumpSuffix, env, dumpEnv, toolArgs', async () => {
    const tools = {
      dumpCommand: [join(folder, 'wrapper')],
      dumpSuffix: ['--no-comments'],
      env: { ONE: '1', BOTH: 'env' },
      dumpEnv: { BOTH: 'dumpEnv' },
      restoreEnv: { NEVER: '1' },
    }
    const settings = connectorSettings(database.connection, {
      tools,
      options: { toolArgs: ['--no-sync', '--no-security-labels'] },
    })
    const { bytes } = await dumpBytes(settings, pgDump)
    expect(bytes.toString('latin1', 0, 200)).toContain('PostgreSQL database dump')
    const words = await noted('words')
    expect(words).toEqual(
      expect.arrayContaining([
        '--format=plain',
        '--clean',
        '--if-exists',
        '--encoding=UTF8',
        '--no-security-labels',
        '--no-password',
      ]),
    )
    expect(words.at(-1)).toBe('--no-comments')
    expect(words.find((word) => word.startsWith('--dbname='))).toMatch(
      /^--dbname=dbname='t_\w+' application_name='holdfast' /u,
    )
    const environment = await noted('env')
    expect(environment).toEqual(expect.arrayContaining(['ONE=1', 'BOTH=dumpEnv', 'LC_MESSAGES=C']))
    expect(environment.join()).not.toContain('NEVER')
  })

  it('inheritEnv false leaves PATH and what is configured', async () => {
    process.env['SEEN_BY_ALL'] = 'yes'
    try {
      const dumpCommand = [join(folder, 'wrapper')]
      await dumpBytes(connectorSettings(database.connection, { tools: { dumpCommand } }), pgDumpCustom)
      expect(await noted('env')).toContain('SEEN_BY_ALL=yes')
      await dumpBytes(
        connectorSettings(database.connection, { tools: { dumpCommand, inheritEnv: false } }),
        pgDumpCustom,
      )
      expect((await noted('env')).join()).not.toContain('SEEN_BY_ALL')
    } finally {
      delete process.env['SEEN_BY_ALL']
    }
  })

  it('options of the plain format: drop, ifExists, noOwner, noPrivileges', async () => {
    await database.execute('GRANT SELECT ON large TO PUBLIC')
    const text = async (options: object) =>
      (await dumpBytes(connectorSettings(database.connection, { options }), pgDump)).bytes.toString('latin1')
    const usual = await text({})
    expect(usual).toMatch(/^DROP TABLE IF EXISTS public\.large;$/mu)
    expect(usual).toMatch(/OWNER TO/u)
    expect(usual).toMatch(/^GRANT SELECT/mu)
    expect(await text({ ifExists: false })).toMatch(/^DROP TABLE public\.large;$/mu)
    const bare = await text({ drop: false, noOwner: true, noPrivileges: true })
    expect(bare).not.toMatch(/^DROP|OWNER TO|^GRANT/mu)
  })

  it.skipIf(withoutProc)(
    onLinux('FAILURES 71: the password is in no command line and no environment, also where it is inherited'),
    async () => {
      const { password } = server.server()
      process.env['PGPASSWORD'] = password
      process.env['DATABASE_URL'] = `postgres://me:${password}@h/d`
      try {
        const { password: _none, ...connection } = database.connection
        for (const settings of [connectorSettings(database.connection), connectorSettings(connection)]) {
          const { drain } = await startedDump(pgDumpCustom, settings)
          expect(await shownBy('pg_dump')).not.toContain(password)
          await drain()
          expect(JSON.stringify(settings)).not.toContain(password)
          for (const [factory, program] of [
            [pgDumpCustom, 'pg_restore'],
            [pgDump, 'psql'],
          ] as const) {
            const { bytes } = await dumpBytes(settings, factory)
            const abort = new AbortController()
            const restoring = factory
              .create(settings)
              .restore(testContext(abort.signal), stalled(bytes, bytes.length / 2), restoreRequest())
            expect(await shownBy(program)).not.toContain(password)
            abort.abort(new Error('seen enough'))
            await expect(restoring).rejects.toThrow('seen enough')
          }
        }
      } finally {
        delete process.env['PGPASSWORD']
        delete process.env['DATABASE_URL']
      }
    },
  )
})

/** What anybody can see of a running program: its command line and its environment. */
async function shownBy(program: string): Promise<string> {
  const pid = await childRunning(program)
  const shown = await Promise.all(
    ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'latin1')),
  )
  expect(shown.join()).toContain('PGPASSFILE')
  return shown.join()
}
