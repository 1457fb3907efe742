import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { filesBelow, makeShop, testFolder } from '../flows/workbench.js'
import { built, collect, documentOf, holdfast, project, start, until } from './command-line.js'

async function backedUp() {
  const cwd = await project({ databases: { shop: 'sqlite:./shop.sqlite3', docs: 'sqlite:./docs.sqlite3' } })
  makeShop(join(cwd, 'docs.sqlite3'), 5)
  await holdfast(['backup', '-q', '--fingerprint', 'content'], { cwd })
  return cwd
}

built.describe('verify --restore', () => {
  it('tells of one backup all that was found out, of several a line each; list has a column then', async () => {
    const cwd = await backedUp()
    const one = await holdfast(['verify', '--restore', '--database', 'shop', '--check', 'echo fine'], { cwd })
    expect(one.code).toBe(0)
    expect(one.stdout).toMatch(/^\d{8}T\S+ {2}passed\n {2}backup +of shop, just now, in main\n/u)
    expect(one.stdout).toContain('it said   fine\n')
    const listed = await holdfast(['list'], { cwd })
    expect(listed.stdout).toMatch(/PROOF[\s\S]* docs .* never +sqlite/u)
    expect(listed.stdout).toMatch(/ shop .* passed just now +sqlite/u)
    const both = await holdfast(['verify', '--restore', '--all', '--since', '1d', '--check', 'exit 4'], {
      cwd,
    })
    expect(both.code).toBe(7)
    expect(both.stdout).toMatch(
      / docs .* status 4 +failed\n.* shop .* status 4 +failed\n2 backups of 2 not proved\n$/u,
    )
    expect(both.stderr).toContain('the check exit 4 ended with status 4 [drill.check-failed]')
  })

  it('is a document for programs', async () => {
    const cwd = await backedUp()
    const ended = await holdfast(['verify', 'latest', '--restore', '--database', 'docs', '--json'], { cwd })
    expect(documentOf(ended)).toMatchObject({
      command: 'verify',
      results: [
        { database: 'docs', ok: true, proof: { formatVersion: 1, result: 'passed', schema: 'same' } },
      ],
    })
    const shown = documentOf(await holdfast(['show', '--database', 'docs', '--json'], { cwd }))
    expect(shown).toMatchObject({ lastDrill: { result: 'passed' } })
  })

  it.each(['--check=x', '--newer', '--server=postgres://h/d'])(
    '%s means nothing without it',
    async (flag) => {
      const { code, stderr } = await holdfast(['verify', flag], { cwd: await project() })
      expect([code, stderr]).toEqual([2, expect.stringContaining('means something with --restore alone')])
    },
  )

  it('interrupted, it ends with 130, and leaves nothing', async () => {
    const cwd = await backedUp()
    const temporary = await testFolder()
    const check = `touch '${cwd}/begun'; sleep 60`
    const child = start(['verify', '--restore', '--database', 'docs', '--check', check], {
      cwd,
      variables: { TMPDIR: temporary },
    })
    const stderr = collect(child, 'stderr')
    await until(child, () => existsSync(join(cwd, 'begun')))
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([130, null])
    expect(stderr()).toContain('[interrupted.sigint]')
    expect(filesBelow(temporary)).toEqual([])
    expect(filesBelow(join(cwd, 'backups')).filter((name) => name.includes('.drill-'))).toEqual([])
  })
})
