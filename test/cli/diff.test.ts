import { join } from 'node:path'
import { expect } from 'vitest'
import { execute } from '../flows/workbench.js'
import { built, holdfast, project } from './command-line.js'

built.it('diff says what was compared, and counts the tables in which only contents differ', async () => {
  const cwd = await project()
  await holdfast(['backup', '-q'], { cwd })
  const diff = async (...args: string[]) => (await holdfast(['diff', ...args], { cwd })).stdout
  const inCounts =
    'live: no difference in definitions and row counts; contents were not compared (--rows compares them)'
  expect(await diff()).toContain(inCounts)
  expect(await diff('--rows')).toMatch(
    /live: no difference\n\d+ tables compared: row counts and contents are the same/u,
  )
  execute(join(cwd, 'shop.sqlite3'), "UPDATE customers SET name = 'Ada' WHERE id = 3")
  expect(await diff()).toContain(inCounts)
  const rows = await holdfast(['diff', '--rows', '--exit-code'], { cwd })
  expect(rows.code).toBe(7)
  expect(rows.stdout).toMatch(
    /live: 1 difference\n[\s\S]*table customers +content[\s\S]*customers, by id: 1 changed/u,
  )
})
