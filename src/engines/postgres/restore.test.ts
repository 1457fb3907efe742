import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import type { RestoreSource } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import { restoreRequest, restoreSource } from '../../testing/connector-contract.js'
import { pgDump } from './connectors/pg-dump.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { contentOf, factories, leftovers, restore, RestoreBench, stalled, until } from './test-restore.js'
import { childRunning, onLinux, withoutProc } from './test-running-tools.js'
import { connectorSettings, execute, testContext, type TestDatabase } from './test-fixture.js'

const server = needsServer('postgresql')
const bench = new RestoreBench(server)

for (const factory of factories) {
  server.describe(`a restore that fails leaves what was there (${factory.name})`, () => {
    it.skipIf(withoutProc)(onLinux('FAILURES 67: the tool is killed midway'), async () => {
      const { bytes, target, old } = await bench.prepared(factory)
      const restoring = restore(factory, target, stalled(bytes, Math.floor(bytes.length * 0.7)))
      restoring.catch(() => undefined)
      process.kill(await childRunning(factory === pgDump ? 'psql' : 'pg_restore'), 'SIGKILL')
      await expect(restoring).rejects.toMatchObject({ code: 'tool.failed', details: { signal: 'SIGKILL' } })
      expect(await contentOf(target)).toEqual(old)
    })

    it.skipIf(withoutProc)(
      onLinux('FAILURES 67: a pipe that is lost behind a prefix never commits half a dump'),
      async () => {
        const { bytes, target, old } = await bench.prepared(factory)
        const folder = await mkdtemp(join(tmpdir(), 'restore-test-'))
        try {
          // Like docker exec or ssh: the program lives on when its starter is killed, and sees the end of its input.
          const relay = join(folder, 'relay.mjs')
          await writeFile(
            relay,
            `import { spawn } from 'node:child_process'
           import { writeFileSync } from 'node:fs'
           const [note, program, ...args] = process.argv.slice(2)
           const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'], detached: true })
           writeFileSync(note, String(child.pid))
           process.stdin.pipe(child.stdin)
           child.on('close', (status) => process.exit(status ?? 1))`,
          )
          const note = join(folder, 'pid')
          const restorePrefix = [process.execPath, relay, note]
          // The statement is at its end: nothing but a COMMIT is missing from a plain dump.
          const cut =
            factory === pgDump
              ? bytes.lastIndexOf('--\n-- PostgreSQL database dump complete')
              : bytes.length - 40
          const restoring = restore(factory, target, stalled(bytes, cut), {}, { tools: { restorePrefix } })
          restoring.catch(() => undefined)
          const relayPid = await childRunning('node')
          await until(async () => (await busyWith(target)).length > 0)
          process.kill(relayPid, 'SIGKILL')
          await expect(restoring).rejects.toMatchObject({ code: 'tool.failed' })
          await until(async () => (await busyWith(target)).length === 0)
          expect(await contentOf(target)).toEqual(old)
        } finally {
          await rm(folder, { recursive: true })
        }
      },
    )

    it('FAILURES 67: the server refuses a statement: its words are in the error', async () => {
      const { bytes, target } = await bench.prepared(factory)
      await target.execute('CREATE VIEW in_the_way AS SELECT * FROM parent')
      const old = await contentOf(target)
      await expect(restore(factory, target, bytes)).rejects.toMatchObject({
        code: 'tool.failed',
        message: expect.stringMatching(
          /ERROR: {2}cannot drop .* because other objects depend on it/u,
        ) as string,
        hint: expect.stringContaining('--clean database') as string,
      })
      expect(await contentOf(target)).toEqual(old)
    })

    it('FAILURES 67: without one transaction the error says that the target is incomplete', async () => {
      const { bytes, target } = await bench.prepared(factory)
      await target.execute('CREATE VIEW in_the_way AS SELECT * FROM parent')
      const options = { singleTransaction: false }
      await expect(restore(factory, target, bytes, {}, { options })).rejects.toMatchObject({
        code: 'restore.incomplete',
      })
      await target.execute('DROP VIEW in_the_way')
      await restore(factory, target, bytes, {}, { options })
      expect(await contentOf(target)).not.toEqual({})
    })

    it('FAILURES 67: a database that was to be made, or to be replaced, is as it was', async () => {
      const { bytes, target, old } = await bench.prepared(factory)
      const broken: RestoreSource = {
        ...restoreSource(bytes),
        open: async (part) => {
          const pieces = await restoreSource(bytes.subarray(0, Math.floor(bytes.length * 0.8))).open(part)
          return Readable.from(failing(pieces), { objectMode: false })
        },
      }
      const missing = bench.absent()
      await expect(restore(factory, missing, broken, { create: true })).rejects.toMatchObject({
        code: 'integrity.checksum',
      })
      expect(await missing.exists()).toBe(false)
      await expect(restore(factory, target, broken, { clean: 'database' })).rejects.toMatchObject({
        code: 'integrity.checksum',
      })
      expect(await contentOf(target)).toEqual(old)
    })

    it('an abort while a database is made beside leaves none', async () => {
      const { bytes, target, old } = await bench.prepared(factory)
      const abort = new AbortController()
      const restoring = restore(
        factory,
        target,
        stalled(bytes, bytes.length - 100),
        { clean: 'database' },
        {},
        testContext(abort.signal),
      )
      restoring.catch(() => undefined)
      await until(async () => (await leftovers(target)).length === 1)
      abort.abort(new HoldfastError('interrupted.sigint', 'interrupted'))
      await expect(restoring).rejects.toMatchObject({ code: 'interrupted.sigint' })
      expect(await contentOf(target)).toEqual(old)
    })
  })
}

describe('a source without a dump', () => {
  it('is an error', async () => {
    const connector = pgDumpCustom.create(
      connectorSettings({ engine: 'postgresql', name: 'd', parameters: {} }),
    )
    const source: RestoreSource = { parts: [], open: () => Promise.reject(new Error('never asked')) }
    await expect(connector.restore(testContext(), source, restoreRequest())).rejects.toMatchObject({
      code: 'integrity.missing-artifact',
    })
  })
})

async function* failing(pieces: Readable): AsyncGenerator<Buffer> {
  yield* pieces as AsyncIterable<Buffer>
  throw new HoldfastError('integrity.checksum', 'bytes differ')
}

/** Sessions of a restore in this database. */
function busyWith(database: TestDatabase): Promise<readonly object[]> {
  return execute(
    database.server,
    'postgres',
    `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = 'holdfast'`,
    [database.name],
  )
}
