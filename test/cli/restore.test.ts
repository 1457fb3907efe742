import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { contentOf, execute } from '../flows/workbench.js'
import { built, documentOf, holdfast, project } from './command-line.js'

/** A project with a backup, of which the database has lost something since. */
async function lossy(config: Readonly<Record<string, unknown>> = {}) {
  const cwd = await project(config)
  const shop = join(cwd, 'shop.sqlite3')
  const before = contentOf(shop)
  expect((await holdfast(['backup', '-q'], { cwd })).code).toBe(0)
  execute(shop, 'DELETE FROM orders')
  return { cwd, shop, before, lost: contentOf(shop) }
}

built.describe('restore', () => {
  it('is refused where nobody is there to confirm, and changes nothing', async () => {
    const { cwd, shop, lost } = await lossy()
    const ended = await holdfast(['restore'], { cwd })
    expect(ended).toMatchObject({ code: 8, stdout: '' })
    expect(ended.stderr).toMatch(/Restore\n {2}from .*\n(?:.*\n)* {2}into .*sqlite:.*shop\.sqlite3/u)
    expect(ended.stderr).toContain('[refused.not-confirmed]\nhint: pass --yes where there is no terminal')
    expect(contentOf(shop)).toBe(lost)
  })

  it('a file of pg_dumpall is named as what it is', async () => {
    const cwd = await project()
    writeFileSync(join(cwd, 'all.sql'), '--\n-- PostgreSQL database cluster dump\n--\n\nSET x = 1;\n')
    const ended = await holdfast(['restore', 'all.sql', '--to', 'postgres://me@127.0.0.1:1/shop', '--yes'], {
      cwd,
    })
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toMatch(/all\.sql is a dump of a whole server by pg_dumpall[^]*hint: .*psql -f/u)
  })

  it('--yes restores', async () => {
    const { cwd, shop, before } = await lossy()
    const ended = await holdfast(['restore', '--yes'], { cwd })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toMatch(/^restored sqlite:.*shop\.sqlite3 from \d{8}T\d{9}Z-\w+ in/u)
    expect(contentOf(shop)).toBe(before)
  })

  it('--dry-run prints the plan and changes nothing', async () => {
    const { cwd, shop, lost } = await lossy()
    const ended = await holdfast(['restore', '--dry-run'], { cwd })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout).toContain('dry run: nothing was changed')
    const json = await holdfast(['restore', '--dry-run', '--json'], { cwd })
    expect(documentOf(json)).toMatchObject({
      command: 'restore',
      restored: false,
      plan: { target: 'shop', engine: 'sqlite', exists: true, clean: 'objects', server: 'test' },
    })
    expect(contentOf(shop)).toBe(lost)
  })

  it('into another database, from another folder, through stdin', async () => {
    const { cwd, shop, before } = await lossy()
    const backup = await holdfast(['show', '--json'], { cwd })
    const { manifest } = documentOf(backup) as unknown as {
      manifest: { parts: { stored: { key: string } }[] }
    }
    const input = readFileSync(join(cwd, 'backups', manifest.parts[0]?.stored.key ?? ''))
    const args = ['restore', '-', '--to', 'sqlite:./copy.sqlite3', '--create', '--yes', '--quiet']
    expect(await holdfast(args, { cwd, input })).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(contentOf(join(cwd, 'copy.sqlite3'))).toBe(before)
    const named = [
      'restore',
      '--storage',
      join(cwd, 'backups'),
      '--to',
      'sqlite:./other.sqlite3',
      '--create',
      '--yes',
    ]
    expect((await holdfast(named, { cwd, variables: { HOLDFAST_CONFIG: '' } })).code).toBe(0)
    expect(contentOf(join(cwd, 'other.sqlite3'))).toBe(before)
    expect(contentOf(shop)).not.toBe(before)
  })

  it('a protected database wants its name, --yes or not', async () => {
    const { cwd, shop, before, lost } = await lossy({
      databases: { shop: { url: 'sqlite:./shop.sqlite3', protected: true } },
    })
    for (const args of [['restore'], ['restore', '--yes'], ['restore', '--yes', '--confirm', 'other']]) {
      const ended = await holdfast(args, { cwd })
      expect(ended).toMatchObject({ code: 8, stdout: '' })
      expect(ended.stderr).toContain('[refused.protected]')
    }
    expect(contentOf(shop)).toBe(lost)
    const plan = documentOf(await holdfast(['restore', '--dry-run', '--json'], { cwd })) as unknown as {
      plan: { databaseName: string }
    }
    const ended = await holdfast(['restore', '--confirm', plan.plan.databaseName], { cwd })
    expect(ended.code).toBe(0)
    expect(contentOf(shop)).toBe(before)
  })

  it.each([
    [
      'no such backup',
      ['restore', '2001', '--yes'],
      2,
      'no backup of shop matches 2001|no backup matches 2001',
    ],
    ['no such database', ['restore', '--database', 'x', '--yes'], 2, 'there is no database x'],
    [
      'a target that is not there',
      ['restore', '--to', 'sqlite:./no.sqlite3', '--yes'],
      4,
      'no\\.sqlite3 does not exist',
    ],
    ['a storage that is not there', ['restore', '--storage', './no', '--yes'], 6, 'there is no folder'],
    ['the wrong kind of database', ['restore', '--to', 'postgres://127.0.0.1:1/x', '--yes'], 2, 'sqlite'],
  ])('%s: an error, and nothing changes', async (_title, args, code, message) => {
    const { cwd, shop, lost } = await lossy()
    const ended = await holdfast(args, { cwd })
    expect(ended.stderr).toMatch(new RegExp(message, 'u'))
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(contentOf(shop)).toBe(lost)
  })
})
