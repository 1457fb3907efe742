import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { contentOf, makeShop } from '../flows/workbench.js'
import { built, documentOf, holdfast, project } from './command-line.js'

/** A project whose newest backup holds no orders; the one before is whole. */
async function withPartial(config: Readonly<Record<string, unknown>> = {}) {
  const cwd = await project({
    databases: { shop: { url: 'sqlite:./shop.sqlite3', connector: 'sqlite-dump' } },
    ...config,
  })
  expect((await holdfast(['backup', '-q'], { cwd })).code).toBe(0)
  expect((await holdfast(['backup', '-q', '--exclude-data', 'orders'], { cwd })).code).toBe(0)
  return cwd
}

function artifacts(cwd: string): string[] {
  const folder = join(cwd, 'backups', 'shop')
  return readdirSync(folder)
    .filter((name) => !name.endsWith('.json'))
    .map((name) => join(folder, name))
}

built.describe('a backup that does not hold all', () => {
  it('is marked in the list', async () => {
    const { stdout } = await holdfast(['list'], { cwd: await withPartial() })
    const [heading, newest, whole] = stdout.split('\n')
    expect(heading).toMatch(/ HOLDS$/u)
    expect(newest).toMatch(/ {2}without the rows of orders$/u)
    expect(whole).toMatch(/ {2}all$/u)
  })

  it('tells what a restore would lose', async () => {
    const { stdout } = await holdfast(['restore', '--dry-run'], { cwd: await withPartial() })
    expect(stdout).toContain('the backup is not whole: without the rows of orders')
  })

  it('takes no place of a whole one in retention', async () => {
    const cwd = await withPartial({ retention: { last: 1 } })
    const { stdout } = await holdfast(['prune', '--dry-run'], { cwd })
    expect(stdout).toContain('2 kept, 0 would be removed')
  })
})

built.describe('restore', () => {
  it('the latest of several databases is nobody’s guess', async () => {
    const cwd = await project()
    makeShop(join(cwd, 'other.sqlite3'), 3)
    writeFileSync(join(cwd, 'holdfast.config.json'), '{}')
    for (const name of ['shop', 'other'])
      await holdfast(['backup', `sqlite:./${name}.sqlite3`, '-q'], { cwd })
    const before = contentOf(join(cwd, 'shop.sqlite3'))
    const ended = await holdfast(['restore', 'latest', '--to', 'sqlite:./shop.sqlite3', '--yes'], { cwd })
    expect(ended.code).toBe(2)
    expect(ended.stderr).toMatch(
      /backups of several databases: \w+, \w+ \[usage\.backup-ambiguous\]\nhint: .*--from-database/u,
    )
    expect(contentOf(join(cwd, 'shop.sqlite3'))).toBe(before)
  })

  it('FAILURES 16: a backup named by its path is compared with its manifest', async () => {
    const cwd = await project({ compress: 'none' })
    await holdfast(['backup', '-q'], { cwd })
    const [path = ''] = artifacts(cwd)
    const bytes = readFileSync(path)
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    writeFileSync(path, bytes)
    const before = contentOf(join(cwd, 'shop.sqlite3'))
    const ended = await holdfast(['restore', path, '--yes'], { cwd })
    expect(ended).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('[integrity.checksum]') as string,
    })
    expect(contentOf(join(cwd, 'shop.sqlite3'))).toBe(before)
  })

  it('of a file without a manifest says that nothing proves its bytes', async () => {
    const cwd = await project()
    await holdfast(['backup', '-q', '-o', 'dump.zst'], { cwd })
    const { stderr, stdout } = await holdfast(['restore', 'dump.zst', '--dry-run'], { cwd })
    expect(stdout + stderr).toContain('dump.zst has no manifest beside it')
  })
})

built.describe('list', () => {
  it('names an artifact that is cut: exit 7', async () => {
    const cwd = await project()
    await holdfast(['backup', '-q'], { cwd })
    truncateSync(artifacts(cwd)[0] ?? '', 100)
    const ended = await holdfast(['list'], { cwd })
    expect(ended.code).toBe(7)
    expect(ended.stderr).toMatch(/has 100 of \d+ bytes \[integrity\.truncated\]/u)
  })

  it('a misspelt database is no database without backups', async () => {
    const cwd = await project()
    await holdfast(['backup', '-q'], { cwd })
    const ended = await holdfast(['list', '--database', 'shpo'], { cwd })
    expect(ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no database shpo; known: shop') as string,
    })
  })
})

built.describe('without the variables of the configuration', () => {
  const config = `import { defineConfig, env } from 'holdfast'
    export default defineConfig({
      databases: { shop: { url: env('SHOP_URL') } },
      storages: { main: { driver: 'local', path: env('BACKUPS') } },
    })`

  it('backups are listed, shown and verified; a storage needs its own', async () => {
    const cwd = await project()
    writeFileSync(join(cwd, 'holdfast.config.ts'), config)
    const options = ['--config', 'holdfast.config.ts']
    const variables = { SHOP_URL: 'sqlite:./shop.sqlite3', BACKUPS: './backups' }
    expect((await holdfast(['backup', '-q', ...options], { cwd, variables })).code).toBe(0)
    for (const command of ['list', 'show', 'verify']) {
      const ended = await holdfast([command, ...options], { cwd, variables: { BACKUPS: './backups' } })
      expect(ended).toMatchObject({
        code: 0,
        stderr: 'warning: the database shop is left out: neither SHOP_URL nor SHOP_URL_FILE is set\n',
      })
      expect(ended.stdout).toMatch(/\d{8}T\d{9}Z/u)
    }
    for (const args of [['list'], ['prune'], ['backup']]) {
      const { code, stderr } = await holdfast([...args, ...options], {
        cwd,
        variables: args[0] === 'list' ? {} : { BACKUPS: './backups' },
      })
      expect(code).toBe(2)
      expect(stderr).toContain('[config.missing-variable]')
    }
  })
})

built.describe('doctor', () => {
  it('makes no folder: one that is missing may be a disk that is not mounted', async () => {
    const cwd = await project()
    const { stdout } = await holdfast(['doctor'], { cwd })
    expect(stdout).toMatch(/! catalog .*there is no folder/u)
    expect(readdirSync(cwd)).not.toContain('backups')
  })
})

built.it('a database that holds nothing is warned of', async () => {
  const cwd = await project()
  writeFileSync(join(cwd, 'empty.sqlite3'), '')
  const ended = await holdfast(['backup', 'sqlite:./empty.sqlite3', '--json'], { cwd })
  expect(JSON.stringify(documentOf(ended))).toContain('the database holds nothing: no table and no view')
})
