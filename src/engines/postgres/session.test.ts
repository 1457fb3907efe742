import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { needsAll, needsServer, needsTool } from '../../../test/servers/needs.js'
import { startPostgresql, withoutSync } from '../../../test/servers/postgresql.js'
import { ordinaryAccount, type StartedServer } from '../../../test/servers/server.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { nodeEnv } from '../../env/node-env.js'
import { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { resolveConnection } from './connection.js'
import { postgresql } from './engine.js'
import {
  connectorSettings,
  connectionTo,
  dumpBytes,
  execute,
  TestDatabase,
  testContext,
} from './test-fixture.js'

const server = needsServer('postgresql')

async function open(connection: ConnectionSettings, cx = testContext()): Promise<string> {
  const session = await postgresql.open(cx, connection)
  try {
    return (await session.facts()).database
  } finally {
    await session.close()
  }
}

server.describe('a connection that fails says why', () => {
  const to = (changes: Partial<ConnectionSettings>): ConnectionSettings => ({
    ...connectionTo(server.server(), 'postgres'),
    ...changes,
  })

  it('a wrong password, a wrong user, and none', async () => {
    const password = new Secret('hunter2 is wrong')
    for (const changes of [{ password }, { user: 'nobody there' }]) {
      const error: unknown = await open(to(changes)).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'database.login-refused', details: { state: '28P01' } })
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('hunter2')
    }
    const { password: _none, ...connection } = to({})
    const env = { ...nodeEnv(), variables: {}, homeDirectory: '/nowhere' }
    await expect(open(connection, { ...testContext(), env })).rejects.toMatchObject({
      code: 'database.login-refused',
      message: expect.stringMatching(/asks for a password for holdfast, and there is none$/u) as string,
    })
  })

  it('a database that is not there, and one that may not be entered', async () => {
    await expect(open(to({ name: 'not there' }))).rejects.toMatchObject({ code: 'database.not-found' })
    const role = `r_${randomBytes(4).toString('hex')}`
    const database = await new TestDatabase(server.server()).make()
    await execute(
      server.server(),
      'postgres',
      `CREATE ROLE ${role} LOGIN PASSWORD 'p'; REVOKE CONNECT ON DATABASE ${database.name} FROM PUBLIC`,
    )
    try {
      const connection = { ...database.connection, user: role, password: new Secret('p') }
      await expect(open(connection)).rejects.toMatchObject({ code: 'database.denied' })
    } finally {
      await database.drop()
      await execute(server.server(), 'postgres', `DROP ROLE ${role}`)
    }
  })

  it('a port where nobody listens, a host that is not there, a socket that is not there', async () => {
    for (const changes of [{ port: 1 }, { host: 'nowhere.invalid' }, { socket: '/nowhere' }]) {
      await expect(open(to(changes))).rejects.toMatchObject({ code: 'database.unreachable', retryable: true })
    }
  })

  it('FAILURES 8: a server that never answers', async () => {
    const silent = createServer()
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    try {
      const { port } = silent.address() as { port: number }
      for (const sslmode of ['disable', 'prefer']) {
        const parameters = { connect_timeout: '1', sslmode }
        await expect(open(to({ port, parameters }))).rejects.toMatchObject({ code: 'database.unreachable' })
      }
    } finally {
      silent.close()
    }
  })

  it('an abort is passed on, before, while connecting and while asking', async () => {
    const reason = new HoldfastError('interrupted.sigint', 'interrupted')
    await expect(open(to({}), testContext(AbortSignal.abort(reason)))).rejects.toBe(reason)
    const abort = new AbortController()
    const opening = postgresql.open(testContext(abort.signal), to({}))
    abort.abort(reason)
    await expect(opening).rejects.toBe(reason)
    const later = new AbortController()
    const session = await postgresql.open(testContext(later.signal), to({}))
    const asking = session.facts()
    later.abort(reason)
    await expect(asking).rejects.toBe(reason)
    await session.close()
  })
})

server.describe('a connection that works', () => {
  it('by a Unix socket, given as folder, path or host', async () => {
    const { socketDirectory, port } = server.server()
    const database = await new TestDatabase(server.server(), 'by socket').make()
    try {
      const { host: _host, ...rest } = database.connection
      for (const socket of [socketDirectory, join(socketDirectory, `.s.PGSQL.${port}`)]) {
        expect(await open({ ...rest, socket })).toBe('by socket')
        const { bytes } = await dumpBytes(connectorSettings({ ...rest, socket }), pgDumpCustom)
        expect(bytes.length).toBeGreaterThan(100)
      }
      expect(await open({ ...rest, host: socketDirectory })).toBe('by socket')
    } finally {
      await database.drop()
    }
  })

  it("takes libpq's variables where nothing is configured, and what is configured before them", async () => {
    const { host, port, user, password } = server.server()
    const variables = {
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGPASSWORD: password,
      PGSSLMODE: 'disable',
      PGOPTIONS: '-c geqo=off',
    }
    const env = { ...nodeEnv(), variables }
    const bare = { engine: 'postgresql', name: 'postgres', parameters: {} }
    expect(await open(bare, { ...testContext(), env })).toBe('postgres')
    expect(
      await resolveConnection(env, {
        ...bare,
        user: 'me',
        parameters: { sslmode: 'require', schema: 'app' },
      }),
    ).toMatchObject({
      host,
      port,
      user: 'me',
      parameters: { sslmode: 'require', options: '-c geqo=off' },
    })
    // An ORM's own parameters are none of libpq's.
    expect(
      (await resolveConnection(env, { ...bare, parameters: { schema: 'app' } })).parameters,
    ).not.toHaveProperty('schema')
    await expect(resolveConnection(env, { ...bare, host: 'a,b' })).rejects.toMatchObject({
      code: 'config.invalid',
    })
  })
})

needsAll(server, needsTool('openssl')).describe('FAILURES 76: TLS, as libpq understands sslmode', () => {
  let folder: string
  let tls: StartedServer | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'session-test-'))
    await chmod(folder, 0o755)
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
    const key = ['-newkey', 'rsa:2048', '-nodes', '-days', '2']
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority')
    openssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      'other.key',
      '-out',
      'other.pem',
      '-subj',
      '/CN=other authority',
    )
    openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
    await writeFile(join(folder, 'names'), 'subjectAltName=DNS:localhost')
    openssl(
      'x509',
      '-req',
      '-in',
      'server.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'names',
      '-out',
      'server.pem',
    )
    const account = ordinaryAccount('postgres')
    if (account !== undefined) await chown(join(folder, 'server.key'), account.uid, account.gid)
    await chmod(join(folder, 'server.key'), 0o600)
    const file = (name: string) => join(folder, name)
    tls = await startPostgresql([
      ...withoutSync,
      'ssl=on',
      `ssl_cert_file=${file('server.pem')}`,
      `ssl_key_file=${file('server.key')}`,
    ])
  })
  afterAll(async () => {
    await tls?.stop()
    await rm(folder, { recursive: true })
  })

  /** What driver and tool make of the same settings: `verified`, `encrypted`, `plain`, or the code of the refusal. */
  async function both(host: string, parameters: Readonly<Record<string, string>>, address = tls?.address) {
    if (address === undefined) throw new Error('the server has not started')
    const connection = { ...connectionTo(address, 'postgres'), host, parameters }
    // A root certificate of this machine's user would change what libpq does.
    const env = { ...nodeEnv(), homeDirectory: folder }
    const cx = { ...testContext(), env: { ...env, variables: { ...env.variables, HOME: folder } } }
    const driver = await postgresql.open(cx, connection).then(
      async (session) => {
        await session.close()
        return 'connected'
      },
      (error: unknown) => (error as HoldfastError).code,
    )
    const tool = await toolConnects(address.binDirectory, connection, folder)
    return { driver, tool }
  }
  const connected = { driver: 'connected', tool: 'connected' }
  const refused = { driver: 'database.unreachable', tool: 'refused' }
  const unusable = { driver: 'config.invalid', tool: 'refused' }

  it.each([
    ['localhost', { sslmode: 'disable' }, connected],
    ['localhost', {}, connected],
    ['localhost', { sslmode: 'require' }, connected],
    ['127.0.0.1', { sslmode: 'verify-ca', sslrootcert: 'ca.pem' }, connected],
    ['localhost', { sslmode: 'verify-full', sslrootcert: 'ca.pem' }, connected],
    // Another host than the certificate's.
    ['127.0.0.1', { sslmode: 'verify-full', sslrootcert: 'ca.pem' }, refused],
    // Another authority: also refused by require, once there is a root certificate.
    ['localhost', { sslmode: 'verify-full', sslrootcert: 'other.pem' }, refused],
    ['localhost', { sslmode: 'verify-ca', sslrootcert: 'other.pem' }, refused],
    ['localhost', { sslmode: 'require', sslrootcert: 'other.pem' }, refused],
    // Falls back to no encryption at all.
    ['localhost', { sslmode: 'prefer', sslrootcert: 'other.pem' }, connected],
    // No root certificate to verify with.
    ['localhost', { sslmode: 'verify-full' }, unusable],
    ['localhost', { sslmode: 'verify-full', sslrootcert: 'missing.pem' }, unusable],
  ])('%s %o', async (host, parameters, expected) => {
    const named =
      'sslrootcert' in parameters
        ? { ...parameters, sslrootcert: join(folder, parameters.sslrootcert) }
        : parameters
    expect(await both(host, named)).toEqual(expected)
  })

  it('a server without TLS: require refuses it, prefer and allow do not', async () => {
    const plain = server.server()
    expect(await both('127.0.0.1', { sslmode: 'require' }, plain)).toEqual(refused)
    expect(await both('127.0.0.1', { sslmode: 'prefer' }, plain)).toEqual(connected)
    expect(await both('127.0.0.1', { sslmode: 'allow' }, plain)).toEqual(connected)
  })

  it('encryption without verification is warned of', async () => {
    if (tls === undefined) throw new Error('the server has not started')
    const warnings = async (parameters: Readonly<Record<string, string>>) => {
      const cx = { ...testContext(), env: { ...nodeEnv(), homeDirectory: folder } }
      const session = await postgresql.open(cx, {
        ...connectionTo(tls?.address ?? server.server(), 'postgres'),
        host: 'localhost',
        parameters,
      })
      try {
        return (await session.facts()).warnings
      } finally {
        await session.close()
      }
    }
    expect(await warnings({ sslmode: 'require' })).toEqual([
      expect.stringContaining('without checking who answers'),
    ])
    expect(await warnings({ sslmode: 'verify-full', sslrootcert: join(folder, 'ca.pem') })).toEqual([])
  })
})

async function toolConnects(
  binDirectory: string,
  connection: ConnectionSettings,
  home: string,
): Promise<string> {
  const { execFile } = await import('node:child_process')
  const { promisify } = await import('node:util')
  const { connectionArguments } = await import('./connection.js')
  const words = connectionArguments(await resolveConnection({ ...nodeEnv(), variables: {} }, connection))
  const env = { PATH: process.env['PATH'], HOME: home, PGPASSWORD: connection.password?.reveal() }
  return promisify(execFile)(join(binDirectory, 'psql'), [...words, '--no-psqlrc', '--command=SELECT 1'], {
    env,
  }).then(
    () => 'connected',
    () => 'refused',
  )
}

describe('a Unix socket', () => {
  it('is not encrypted, whatever sslmode says', async () => {
    const { tlsAttempts } = await import('./tls.js')
    const connection = {
      host: '/run',
      port: 1,
      user: 'u',
      database: 'd',
      parameters: { sslmode: 'verify-full' },
    }
    expect(await tlsAttempts(nodeEnv(), connection)).toEqual([false])
  })
})
