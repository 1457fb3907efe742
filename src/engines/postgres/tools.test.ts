import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Context } from '../../env/context.js'
import { nodeEnv } from '../../env/node-env.js'
import { configuredCommand, toolEnvironment } from './tool-call.js'
import { chooseClient, installedClients, type Wanted } from './tools.js'
import { plainTools } from '../../testing/plain-tools.js'
import { testContext } from './test-fixture.js'

let folder: string
let path: string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tools-test-'))
  path = []
})
afterEach(() => rm(folder, { recursive: true }))

/** A program of this version, in PATH from now on. */
async function install(version: string, name = 'pg_dump'): Promise<string> {
  const place = join(folder, `v${version}`)
  await mkdir(place, { recursive: true })
  await writeFile(join(place, name), `#!/bin/sh\necho "${name} (PostgreSQL) ${version}"\n`)
  await chmod(join(place, name), 0o755)
  path.push(place)
  return join(place, name)
}

/** A machine that has what the test has installed, and what this machine has. */
function machine(platform: NodeJS.Platform = process.platform): Context {
  const env = nodeEnv()
  const variables = { ...process.env, PATH: [...path, '/bin', '/usr/bin'].join(':') }
  return { ...testContext(), env: { ...env, platform, variables } }
}

const wanted = (atLeast: number, prefer = atLeast): Wanted => ({
  atLeast,
  prefer,
  because: `a PostgreSQL ${prefer}.1 server`,
})
const byItself = { tools: plainTools, phase: 'dump' as const, command: undefined }

describe('the client that fits', () => {
  it('FAILURES 38: has the major version of the server, else the nearest newer one, and says why', async () => {
    await install('99.1')
    const same = await install('90.2')
    await install('91.0')
    const cx = machine()
    expect((await chooseClient(cx, 'pg_dump', wanted(90), byItself)).facts).toEqual({
      name: 'pg_dump',
      version: '90.2',
      path: same,
      reason: 'the same major version as a PostgreSQL 90.1 server',
    })
    const nearest = await chooseClient(cx, 'pg_dump', wanted(89), byItself)
    expect(nearest.facts.version).toBe('90.2')
    expect(nearest.facts.reason).toContain('no client of version 89 is installed')
    expect((await chooseClient(cx, 'pg_dump', wanted(92), byItself)).facts.version).toBe('99.1')
    expect((await chooseClient(cx, 'pg_dump', wanted(0, 98), byItself)).facts.version).toBe('99.1')
    expect((await chooseClient(cx, 'pg_dump', wanted(0, 1000), byItself)).facts.version).toBe('99.1')
  })

  it('FAILURES 38: too old for the server is refused, with the version wanted and where to get it', async () => {
    const old = await install('98.7')
    const refused = chooseClient(machine(), 'pg_dump', wanted(99), byItself)
    await expect(refused).rejects.toMatchObject({
      code: 'tool.too-old',
      message: expect.stringMatching(
        /^a PostgreSQL 99\.1 server needs pg_dump 99 or newer; installed: /u,
      ) as string,
      hint: expect.stringContaining('postgresql-client-99') as string,
      details: { wanted: 99, program: 'pg_dump' },
    })
    await expect(refused).rejects.toThrowError(`98.7 (${old})`)
  })

  it.each([
    ['linux', 'postgresql-client-42'],
    ['darwin', 'brew install postgresql@42'],
    ['win32', 'PostgreSQL 42'],
  ] as const)('none at all is missing, with what to install on %s', async (platform, hint) => {
    const cx = { ...testContext(), env: { ...nodeEnv(), platform, variables: { PATH: folder } } }
    // No such program: what this machine really has does not count.
    await expect(chooseClient(cx, 'pg_nothing' as 'pg_dump', wanted(42), byItself)).rejects.toMatchObject({
      code: 'tool.missing',
      message: 'pg_nothing is not installed',
      hint: expect.stringContaining(hint) as string,
    })
  })

  it('a copy that cannot even say its version is passed over', async () => {
    const broken = await install('97.0')
    await writeFile(broken, '#!/bin/sh\nexit 1\n')
    await install('96.0')
    expect((await chooseClient(machine(), 'pg_dump', wanted(90), byItself)).facts.version).toBe('96.0')
  })

  it('a configured command is used as it is, and still has to be new enough', async () => {
    const command = [await install('98.0'), '--flag']
    path = []
    const client = await chooseClient(machine(), 'pg_dump', wanted(98), { ...byItself, command })
    expect(client.command).toEqual(command)
    expect(client.facts.reason).toBe('configured')
    await expect(
      chooseClient(machine(), 'pg_dump', wanted(99), { ...byItself, command }),
    ).rejects.toMatchObject({
      code: 'tool.too-old',
    })
    await expect(
      chooseClient(machine(), 'pg_dump', wanted(99), { ...byItself, command: [join(folder, 'none')] }),
    ).rejects.toMatchObject({ code: 'tool.missing' })
  })

  it('those of packages are found wherever the packages of Linux and macOS put them', async () => {
    const places = [
      'usr/lib/postgresql/14/bin',
      'usr/pgsql-16/bin',
      'usr/lib/postgresql13/bin',
      'usr/libexec/postgresql15',
      'opt/homebrew/opt/postgresql@17/bin',
      'opt/homebrew/opt/libpq/bin',
      'usr/local/opt/postgresql@12/bin',
      'home/linuxbrew/.linuxbrew/opt/postgresql@18/bin',
      'opt/local/lib/postgresql16/bin',
      'Applications/Postgres.app/Contents/Versions/15/bin',
    ]
    for (const place of [...places, 'usr/lib/postgresql-common/bin', 'opt/homebrew/opt/other/bin']) {
      await mkdir(join(folder, place), { recursive: true })
      await writeFile(join(folder, place, 'pg_dump'), '', { mode: 0o755 })
    }
    const env = { ...nodeEnv(), platform: 'linux' as const, variables: { PATH: '/nowhere' } }
    expect((await installedClients(env, 'pg_dump', folder)).toSorted()).toEqual(
      places.map((place) => join(folder, place, 'pg_dump')).toSorted(),
    )
  })

  it('one copy that is found twice is one', async () => {
    const real = await install('95.0')
    await mkdir(join(folder, 'links'))
    await symlink(real, join(folder, 'links', 'pg_dump'))
    path.unshift(join(folder, 'links'))
    const found = await installedClients(machine().env, 'pg_dump')
    expect(found.filter((file) => file.startsWith(folder))).toEqual([join(folder, 'links', 'pg_dump')])
  })
})

describe("the user's own settings", () => {
  it('restoreCommand is not taken for the other tool', () => {
    const tools = (restoreCommand: string[], psqlCommand?: string[]) => ({
      ...plainTools,
      restoreCommand,
      ...(psqlCommand === undefined ? {} : { psqlCommand }),
    })
    expect(configuredCommand(tools(['/x/pg_restore']), 'pg_restore')).toEqual(['/x/pg_restore'])
    expect(configuredCommand(tools(['/x/pg_restore']), 'psql')).toBeUndefined()
    expect(configuredCommand(tools(['psql']), 'psql')).toEqual(['psql'])
    expect(configuredCommand(tools(['psql']), 'pg_restore')).toBeUndefined()
    expect(configuredCommand(tools(['/x/pg_restore'], ['my-psql']), 'psql')).toEqual(['my-psql'])
    expect(configuredCommand(plainTools, 'psql')).toBeUndefined()
  })

  it('have the last word in the environment; PATH stays even where it holds the password', () => {
    const env = {
      ...nodeEnv(),
      variables: { PATH: '/usr/lib/postgres/bin', HOME: '/home/postgres', PGPASSFILE: '/own' },
    }
    const tools = {
      ...plainTools,
      env: { LC_MESSAGES: 'de', A: '1' },
      dumpEnv: { A: '2' },
      restoreEnv: { A: '3' },
    }
    const passwordFile = { PGPASSFILE: '/private', PGPASSWORD: '' }
    expect(toolEnvironment(env, tools, 'dump', passwordFile)).toMatchObject({
      PATH: '/usr/lib/postgres/bin',
      HOME: '/home/postgres',
      PGPASSFILE: '/private',
      PGPASSWORD: '',
      LC_MESSAGES: 'de',
      A: '2',
    })
    expect(toolEnvironment(env, tools, 'restore', {})).toMatchObject({ PGPASSFILE: '/own', A: '3' })
    expect(toolEnvironment(env, { ...plainTools, inheritEnv: false }, 'dump', {})).not.toHaveProperty('HOME')
  })
})
