import { existsSync, rmSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import type { TemporaryDirectory } from '../../../env/env.js'
import { Secret } from '../../../env/secret.js'
import { unfinishedMark } from '../collections.js'
import { mongodbArchive } from '../format-archive.js'
import { ScratchDatabase } from '../test-database.js'
import { connectorOf, dumpOf, otherProcesses, restoreInto, scratchContext } from '../test-connector.js'
import { mongodbDriver } from './mongodb-driver.js'
import { mongodump } from './mongodump.js'

const server = needsServer('mongodb')

server.describe('dumping', () => {
  let source: ScratchDatabase
  let target: ScratchDatabase
  let folder: TemporaryDirectory

  beforeEach(async () => {
    source = new ScratchDatabase(server.server())
    target = new ScratchDatabase(server.server())
    folder = await scratchContext().env.temporaryDirectory()
    await source.on(async (database) => {
      await database.collection('shop').insertMany([{ a: 1 }, { a: 2 }, { a: 3 }])
      await database.collection('cart').insertMany([{ b: 1 }])
    })
  })
  afterEach(async () => {
    await source.drop()
    await target.drop()
    await folder.remove()
  })

  /** A program of the test's own, which may call the real one as `real`. */
  async function wrapper(script: string): Promise<string> {
    const path = join(folder.path, 'wrapper')
    const real = join(server.server().binDirectory, 'mongodump')
    await writeFile(
      path,
      `#!/bin/sh\nreal() { '${real}' "$@"; }\ncase "$*" in *--version*) exec '${real}' "$@";; esac\n${script}\n`,
    )
    await chmod(path, 0o755)
    return path
  }

  it('FAILURES 1: a tool that is killed midway is an error', async () => {
    const path = await wrapper('real "$@" | head -c 600; kill -9 $$')
    await expect(dumpOf(source, { tools: { dumpCommand: [path] } })).rejects.toMatchObject({
      code: 'tool.failed',
      details: { signal: 'SIGKILL' },
    })
  })

  it('FAILURES 2: a status other than 0 is an error, however whole the archive looks', async () => {
    const path = await wrapper('real "$@"; echo "Failed: error reading collection" >&2; exit 1')
    await expect(dumpOf(source, { tools: { dumpCommand: [path] } })).rejects.toMatchObject({
      code: 'tool.failed',
      message: expect.stringContaining('error reading collection') as string,
    })
  })

  it('FAILURES 3: an archive without its end is an error, although the tool is content', async () => {
    const path = await wrapper('real "$@" | head -c 700')
    await expect(dumpOf(source, { tools: { dumpCommand: [path] } })).rejects.toMatchObject({
      code: 'integrity.truncated',
    })
  })

  it('FAILURES 3: an archive that holds less than the tool has counted is an error', async () => {
    const path = await wrapper(
      `real "$@" 2>'${folder.path}/said'; sed 's/(3 documents)/(4 documents)/' '${folder.path}/said' >&2`,
    )
    await expect(dumpOf(source, { tools: { dumpCommand: [path] } })).rejects.toMatchObject({
      code: 'integrity.format',
      message: 'mongodump has read 4 documents of shop, and the archive holds 3',
    })
  })

  it('FAILURES 4: what the tool says is kept, what it always says is not', async () => {
    expect((await dumpOf(source)).warnings).toEqual([])
    const path = await wrapper('echo "something odd" >&2; real "$@"')
    expect((await dumpOf(source, { tools: { dumpCommand: [path] } })).warnings).toEqual(['something odd'])
  })

  it('FAILURES 15: an empty output is an error', async () => {
    const path = await wrapper('exit 0')
    await expect(dumpOf(source, { tools: { dumpCommand: [path] } })).rejects.toMatchObject({
      code: 'integrity.empty',
    })
  })

  it('FAILURES 71: the password stands in no argument and no environment, also where it is odd', async () => {
    const password = `p%40:/?#[]@"'\\ $ü${target.name}`
    const user = `user ${target.name}`
    await source.on((database) =>
      database.client
        .db('admin')
        .command({ createUser: user, pwd: password, roles: source.isFerretdb ? [] : ['root'] }),
    )
    const connection = { ...source.connection, user, password: new Secret(password) }
    try {
      const stopped = join(folder.path, 'stopped')
      const path = await wrapper(
        `touch '${stopped}'; while test -e '${stopped}'; do sleep 0.05; done; real "$@"`,
      )
      const tools = { dumpCommand: [path], env: { HOLDFAST_WATCHED: target.name } }
      const variables = { ...process.env, DATABASE_URL: `mongodb://${encodeURIComponent(password)}@x/y` }
      const context = { ...scratchContext(), env: { ...scratchContext().env, variables } }
      const dumping = dumpOf(source, { connection, tools, context })
      dumping.catch(() => undefined)
      await vi.waitUntil(() => existsSync(stopped), { timeout: 20_000 })
      const seen = (await otherProcesses()).filter((text) => text.includes('HOLDFAST_WATCHED'))
      rmSync(stopped)
      expect(seen.length).toBeGreaterThan(0)
      const forms = [password, encodeURIComponent(password), JSON.stringify(password).slice(1, -1)]
      for (const text of seen) {
        for (const form of forms) expect(text).not.toContain(Buffer.from(form).toString('latin1'))
      }
      const { bytes } = await dumping
      expect(mongodbArchive.recognises(bytes)).toBe(true)
      for (const factory of [mongodump, mongodbDriver]) {
        await restoreInto(
          target,
          bytes,
          { create: true },
          { connection: { ...connection, name: target.name }, factory },
        )
        expect(await target.digest()).toEqual(await source.digest())
        await target.drop()
      }
    } finally {
      await source.on((database) => database.client.db('admin').command({ dropUser: user }))
    }
  })

  it('a wrong password is database.login-refused, and shown nowhere', async () => {
    const connection = { ...source.connection, password: new Secret('not the password') }
    for (const factory of [mongodump, mongodbDriver]) {
      const error = await dumpOf(source, { connection, factory }).catch((thrown: unknown) => thrown as Error)
      expect(error).toMatchObject({ code: 'database.login-refused' })
      expect(String((error as Error).stack)).not.toContain('not the password')
    }
  })

  it('authSource names the database that knows the account', async () => {
    const connection = { ...source.connection, parameters: { authSource: source.name } }
    await expect(dumpOf(source, { connection })).rejects.toMatchObject({ code: 'database.login-refused' })
    const withoutAny = { ...source.connection, parameters: {} }
    expect((await dumpOf(source, { connection: withoutAny })).bytes.length).toBeGreaterThan(0)
  })

  it('the command settings stand around the tool', async () => {
    const path = await wrapper('echo "in front: $FRONT, behind: $BEHIND; $*" >&2; real "$@"')
    const { warnings } = await dumpOf(source, {
      tools: {
        dumpPrefix: ['env', 'FRONT=yes'],
        dumpCommand: [path],
        dumpSuffix: ['--numParallelCollections=1'],
        dumpEnv: { BEHIND: 'too' },
      },
      options: { toolArgs: ['--forceTableScan'] },
    })
    expect(warnings.join()).toContain('in front: yes, behind: too')
    expect(warnings.join()).toMatch(/--archive .*--forceTableScan --numParallelCollections=1$/u)
  })

  it('a database without anything in it, or that is not there, is never an empty backup by accident', async () => {
    for (const factory of [mongodump, mongodbDriver]) {
      await expect(dumpOf(target, { factory })).rejects.toMatchObject({ code: 'database.not-found' })
    }
  })

  it('says that a restore was not finished, and leaves its mark out', async () => {
    await source.on((database) => database.collection(unfinishedMark).insertOne({ began: 'then' }))
    for (const factory of [mongodump, mongodbDriver]) {
      const { server: facts } = await connectorOf(source, { factory }).inspect(scratchContext())
      expect(facts.warnings).toEqual([expect.stringContaining('did not finish')])
      const { bytes, warnings } = await dumpOf(source, { factory })
      expect(warnings).toEqual(facts.warnings)
      expect(bytes.includes(unfinishedMark)).toBe(false)
    }
  })

  it('FAILURES 9: a slow reader holds the driver back', async () => {
    const text = 'x'.repeat(100_000)
    await source.on((database) =>
      database.collection('large').insertMany(Array.from({ length: 400 }, (_, n) => ({ n, text }))),
    )
    const dump = await connectorOf(source, { factory: mongodbDriver }).dump(scratchContext(), {
      ...{ exclude: [], excludeData: [], schemas: [], allowMissing: false },
    })
    const before = process.memoryUsage().arrayBuffers
    let bytes = 0
    let most = 0
    for await (const part of dump.parts) {
      for await (const chunk of part.bytes) {
        bytes += (chunk as Buffer).length
        await new Promise((resolve) => setImmediate(resolve))
        most = Math.max(most, process.memoryUsage().arrayBuffers - before)
      }
    }
    expect(bytes).toBeGreaterThan(40_000_000)
    expect(most).toBeLessThan(120_000_000)
  })
})
