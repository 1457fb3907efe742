import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ToolSettings } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import type { TemporaryDirectory } from '../../env/env.js'
import { needsTool } from '../../../test/servers/needs.js'
import { versionNumbers, type Product, type ServerIdentity } from './identity.js'
import { scratchContext, scratchSettings } from './test-connector.js'
import { findTool, knownOptions, type ToolRole } from './tools.js'

const says = {
  mariadb10: 'mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)',
  mariadb11: '/usr/bin/mariadb-dump from 11.8.2-MariaDB, client 10.20 for debian-linux-gnu (x86_64)',
  mysql57: 'mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)',
  mysql84: 'mysqldump  Ver 8.4.5 for Linux on x86_64 (MySQL Community Server - GPL)',
}

let folder: TemporaryDirectory

beforeEach(async () => {
  folder = await scratchContext().env.temporaryDirectory()
})
afterEach(() => folder.remove())

/** A program that tells a version, in a folder of its own. */
async function program(directory: string, name: string, version: string, status = 0): Promise<string> {
  const parent = join(folder.path, directory)
  await mkdir(parent, { recursive: true })
  const path = join(parent, name)
  await writeFile(path, `#!/bin/sh\necho '${version}'\nexit ${status}\n`)
  await chmod(path, 0o755)
  return parent
}

function context(...path: string[]): Context {
  const cx = scratchContext()
  return { ...cx, env: { ...cx.env, variables: { PATH: path.join(delimiter) } } }
}

function server(product: Product, version: string): ServerIdentity {
  return {
    product,
    version,
    numbers: versionNumbers(version),
    maxAllowedPacket: 16_777_216,
    foldsCase: false,
  }
}

function find(
  cx: Context,
  product: Product,
  version: string,
  tools: Partial<ToolSettings> = {},
  role: ToolRole = 'dump',
) {
  const settings = scratchSettings({ engine: 'mysql', name: 'shop', parameters: {} }, { tools })
  return findTool(cx, role, server(product, version), settings.tools)
}

describe.skipIf(process.platform === 'win32')('finding the tool', () => {
  it("takes the server's own family, wherever it stands in PATH", async () => {
    const cx = context(
      await program('a', 'mysqldump', says.mysql84),
      await program('b', 'mysqldump', says.mariadb10),
    )
    expect((await find(cx, 'MySQL', '8.4.5')).facts).toMatchObject({
      path: join(folder.path, 'a/mysqldump'),
      version: '8.4.5',
    })
    const mariadb = await find(cx, 'MariaDB', '10.11.6')
    expect(mariadb).toMatchObject({ family: 'MariaDB', warnings: [] })
    expect(mariadb.facts).toMatchObject({
      path: join(folder.path, 'b/mysqldump'),
      reason: expect.stringContaining('own family') as string,
    })
  })

  it('takes one that is not older than the server before one that is', async () => {
    const cx = context(
      await program('a', 'mariadb-dump', says.mariadb10),
      await program('b', 'mariadb-dump', says.mariadb11),
    )
    expect((await find(cx, 'MariaDB', '11.4.1')).facts.version).toBe('11.8.2')
    expect((await find(cx, 'MariaDB', '10.6.1')).facts.version).toBe('10.11.6')
    const newer = await find(cx, 'MariaDB', '12.0.1')
    expect(newer.facts.version).toBe('11.8.2')
    expect(newer.warnings).toEqual([expect.stringContaining('older than the server')])
  })

  it('asks a program once that has two names', async () => {
    const parent = await program('a', 'mariadb-dump', says.mariadb10)
    await symlink('mariadb-dump', join(parent, 'mysqldump'))
    expect((await find(context(parent), 'MariaDB', '10.11.6')).facts).not.toHaveProperty('reason')
  })

  it('refuses an older major version for MySQL', async () => {
    const cx = context(await program('a', 'mysqldump', says.mysql57))
    await expect(find(cx, 'MySQL', '8.4.5')).rejects.toMatchObject({
      code: 'tool.too-old',
      hint: expect.stringContaining('8.4 or newer') as string,
    })
    expect((await find(cx, 'MySQL', '5.7.40')).warnings).toEqual([])
  })

  it('names the packages where there is none', async () => {
    await expect(find(context(folder.path), 'MariaDB', '10.11.6')).rejects.toMatchObject({
      code: 'tool.missing',
      message: 'mariadb-dump or mysqldump of MariaDB is not installed',
      hint: expect.stringContaining('dumpCommand') as string,
    })
    await expect(find(context(folder.path), 'MySQL', '8.4.5', {}, 'client')).rejects.toMatchObject({
      code: 'tool.missing',
      hint: expect.stringMatching(/mysql-client.*restoreCommand/u) as string,
    })
  })

  it("does not let MySQL's tool lose what only MariaDB has, unless told to", async () => {
    const cx = context(await program('a', 'mysqldump', says.mysql84))
    await expect(find(cx, 'MariaDB', '10.11.6')).rejects.toMatchObject({ code: 'tool.missing' })
    const told = await find(cx, 'MariaDB', '10.11.6', { dumpCommand: [join(folder.path, 'a/mysqldump')] })
    expect(told.warnings).toEqual([expect.stringContaining('other family')])
    expect((await find(cx, 'MySQL', '8.4.5')).warnings).toEqual([])
  })

  it("lets MariaDB's tools work with MySQL, and says so", async () => {
    const parent = await program('a', 'mariadb-dump', says.mariadb11)
    await program('a', 'mariadb', says.mariadb11)
    expect((await find(context(parent), 'MySQL', '8.4.5')).warnings).toHaveLength(1)
    expect((await find(context(parent), 'MySQL', '8.4.5', {}, 'client')).warnings).toHaveLength(1)
  })

  it('passes by a program that does not work, and says why when there is no other', async () => {
    const broken = await program('a', 'mariadb-dump', 'exec format error', 1)
    const whole = await program('b', 'mariadb-dump', says.mariadb10)
    expect((await find(context(broken, whole), 'MariaDB', '10.11.6')).facts.version).toBe('10.11.6')
    await expect(find(context(broken), 'MariaDB', '10.11.6')).rejects.toMatchObject({ code: 'tool.failed' })
  })

  it('believes the configured command, and runs its words', async () => {
    const parent = await program('a', 'wrapper', says.mariadb10)
    const tool = await find(context(parent), 'MariaDB', '10.11.6', {
      dumpCommand: [join(parent, 'wrapper'), '--', 'x'],
    })
    expect(tool.command).toEqual([join(parent, 'wrapper'), '--', 'x'])
  })
})

needsTool('mariadb-dump').it('knows what the real tool can do', async () => {
  const cx = scratchContext()
  const settings = scratchSettings({ engine: 'mysql', name: 'shop', parameters: {} })
  const tool = await findTool(cx, 'dump', server('MariaDB', '10.3.0'), settings.tools)
  const options = await knownOptions(cx, tool, settings.tools)
  expect(
    ['single-transaction', 'hex-blob', 'ignore-table', 'routines'].filter((name) => !options.has(name)),
  ).toEqual([])
  expect(options.has('set-gtid-purged')).toBe(false)
})
