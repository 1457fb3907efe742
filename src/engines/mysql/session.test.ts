import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import { mariadb, mysql } from './engine.js'
import { ScratchDatabase } from './test-database.js'
import { scratchContext } from './test-connector.js'
import { ServerSession } from './session.js'

const server = needsServer('mariadb')
const database = () => new ScratchDatabase(server.server(), 'mysql')

async function failure(work: Promise<unknown>): Promise<HoldfastError> {
  try {
    await work
  } catch (error) {
    if (error instanceof HoldfastError) return error
    throw error
  }
  return expect.unreachable('it succeeded')
}

it('a server that is not there is database.unreachable', async () => {
  const listener = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  const { port } = listener.address() as AddressInfo
  await new Promise((resolve) => listener.close(resolve))
  for (const url of [
    `mysql://me:hunter22@127.0.0.1:${port}/shop`,
    'mysql://me:hunter22@x/shop?socket=/no/such.sock',
  ]) {
    const error = await failure(mysql.open(scratchContext(), mysql.parse(url, '/')))
    expect(error.code).toBe('database.unreachable')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter22')
  }
})

it('a server that hangs up is database.unreachable', async () => {
  const listener = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  const { port } = listener.address() as AddressInfo
  const error = await failure(
    mysql.open(scratchContext(), mysql.parse(`mysql://127.0.0.1:${port}/shop`, '/')),
  )
  expect(error.code).toBe('database.unreachable')
  listener.close()
})

server.describe('a session', () => {
  it('finds what the server really is, under either name', async () => {
    const scratch = await database().create()
    for (const engine of [mysql, mariadb]) {
      const session = await engine.open(scratchContext(), scratch.connection)
      expect(await session.facts()).toMatchObject({
        product: 'MariaDB',
        database: scratch.name,
        objectCount: 0,
      })
      await session.close()
    }
    await scratch.drop()
  })

  it('a wrong password is database.login-refused, and stays secret', async () => {
    const connection = { ...database().connection, password: new Secret('hunter22-wrong') }
    const error = await failure(mysql.open(scratchContext(), connection))
    expect(error.code).toBe('database.login-refused')
    expect(inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error)).not.toContain('hunter22')
  })

  it('a database that is not there is database.not-found', async () => {
    expect((await failure(mysql.open(scratchContext(), database().connection))).code).toBe(
      'database.not-found',
    )
  })

  it('gives big numbers and dates as they are', async () => {
    const session = await ServerSession.open(scratchContext(), database().connection, {
      withoutDatabase: true,
    })
    const [row] = await session.query(
      `SELECT 18446744073709551615 AS big, CAST('0000-00-00' AS DATE) AS zero, TIMESTAMP '2024-03-31 02:30:00' AS at, '😀' AS smile`,
    )
    expect(row).toEqual({
      big: '18446744073709551615',
      zero: '0000-00-00',
      at: '2024-03-31 02:30:00',
      smile: '😀',
    })
    await session.close()
  })

  it('an error of a query has a code and its statement', async () => {
    const session = await ServerSession.open(scratchContext(), database().connection, {
      withoutDatabase: true,
    })
    const error = await failure(session.query('SELECT no_such'))
    expect(error).toMatchObject({ code: 'database.query-failed', details: { statement: 'SELECT no_such' } })
    await session.close()
  })

  it('FAILURES 8: an abort ends a question that hangs', async () => {
    const abort = new AbortController()
    const session = await ServerSession.open(scratchContext(abort.signal), database().connection, {
      withoutDatabase: true,
    })
    const reason = new HoldfastError('interrupted.sigterm', 'terminated')
    const asked = failure(session.query('SELECT SLEEP(60)'))
    setTimeout(() => abort.abort(reason), 50)
    expect(await asked).toBe(reason)
    await session.close()
  })

  it('FAILURES 76: a server that is to be verified and has no known certificate is refused', async () => {
    const verified = { ...database().connection, parameters: { 'ssl-mode': 'VERIFY_IDENTITY' } }
    expect(await failure(mysql.open(scratchContext(), { ...verified, host: '127.0.0.1' }))).toMatchObject({
      code: 'config.invalid',
      hint: expect.stringContaining('VERIFY_CA') as string,
    })
    const error = await failure(mysql.open(scratchContext(), { ...verified, host: 'localhost' }))
    expect(error).toMatchObject({
      code: 'database.unreachable',
      hint: expect.stringContaining('ssl-') as string,
    })
  })
})
