import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { filesBelow, holdfastIn, resultOf, testFolder } from '../flows/workbench.js'
import { ask, dropDatabase, makeDatabase, postgresql, reach, standIn } from './postgres-bench.js'

const database = 'faults_dump_tools'

postgresql.describe('PostgreSQL: a dump tool that dies or lies', () => {
  beforeAll(() => makeDatabase(database))
  afterAll(() => dropDatabase(database))

  it.each<[string, string, string]>([
    ['FAILURES 1: killed midway', `"$TOOL" "$@" | head -c 200000; kill -9 $$`, 'tool.failed'],
    ['FAILURES 2: exits 1 after writing plausible output', `"$TOOL" "$@"; exit 1`, 'tool.failed'],
    [
      'FAILURES 3: exits 0 but the dump is cut',
      `"$TOOL" "$@" | head -c 200000; exit 0`,
      'integrity.truncated',
    ],
    [
      'FAILURES 3: exits 0 but the end is missing',
      `"$TOOL" "$@" | head -c -60; exit 0`,
      'integrity.truncated',
    ],
    ['FAILURES 15: exits 0 and writes nothing', `exit 0`, 'integrity.empty'],
    [
      'exits 0 and writes something else',
      `echo 'hello, world, this is not a dump of anything'`,
      'integrity.format',
    ],
  ])('%s: nothing is published', async (_what, script, code) => {
    for (const connector of ['pg-dump-custom', 'pg-dump']) {
      const { hf, backups } = await withTool(script, connector)
      const [outcome] = await hf.backup()
      expect(outcome).toMatchObject({ ok: false })
      if (outcome?.ok === false)
        expect(outcome.error.code).toMatch(connector === 'pg-dump' ? /^(tool|integrity)\./u : code)
      expect(existsSync(backups) ? filesBelow(backups) : []).toEqual([])
    }
  })

  it('FAILURES 4: warnings are kept in the manifest and shown', async () => {
    const { hf } = await withTool(
      `echo 'pg_dump: warning: the moon is full' >&2; exec "$TOOL" "$@"`,
      'pg-dump-custom',
    )
    const { backup, warnings } = resultOf(await hf.backup())
    expect(warnings).toContainEqual(expect.stringContaining('the moon is full'))
    expect(backup?.manifest.warnings).toEqual(warnings)
  })

  it('a restore tool that fails leaves the target as it was', async () => {
    const { hf, folder } = await withTool(`exec "$TOOL" "$@"`, 'pg-dump-custom')
    resultOf(await hf.backup())
    await ask(database, 'DELETE FROM t WHERE i > 5')
    const broken = await holdfastIn(folder, {
      databases: {
        shop: {
          ...reach(database),
          restoreCommand: standIn(folder, 'pg_restore', 'head -c 100000 > /dev/null; exit 1'),
        },
      },
    })
    await expect(broken.restore({ confirm: true })).rejects.toMatchObject({ code: 'tool.failed' })
    expect(await ask(database, 'SELECT count(*)::int AS n FROM t')).toEqual([{ n: 5 }])
    await hf.restore({ confirm: true })
    expect(await ask(database, 'SELECT count(*)::int AS n FROM t')).toEqual([{ n: 20000 }])
  })
})

async function withTool(script: string, connector: string) {
  const folder = await testFolder()
  const dumpCommand = standIn(folder, 'pg_dump', script)
  const hf = await holdfastIn(folder, { databases: { shop: { ...reach(database), connector, dumpCommand } } })
  return { hf, folder, backups: join(folder, 'backups') }
}
