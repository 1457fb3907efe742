import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skipLines } from './skip-report.js'

describe('the lines of the report', () => {
  it('count what each missing thing skips, and name what was skipped for no reason', () => {
    expect(
      skipLines([
        { fullName: 'backup > [needs postgresql] dumps' },
        { fullName: '[needs postgresql] restore > restores' },
        { fullName: '[needs age] decrypts' },
        { fullName: 'left out by hand' },
      ]),
    ).toEqual([
      'skipped: 2 tests need postgresql (install the package postgresql)',
      'skipped: 1 test needs age (install the package age)',
      'skipped without a reason: left out by hand',
    ])
  })
})

describe('a run of the tests', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  let folder: string

  beforeAll(async () => {
    // Inside the project, so that vitest is found from there.
    folder = await mkdtemp(join(root, 'node_modules', '.holdfast-report-'))
    for (const missing of ['age', 'mysql']) {
      await writeFile(
        join(folder, `${missing}.test.mjs`),
        `import { it, expect } from 'vitest'
         it.skipIf(true)('[needs ${missing}] works', () => {})
         it('passes', () => expect(1).toBe(1))`,
      )
    }
    await writeFile(
      join(folder, 'vitest.config.ts'),
      `import { SkipReport } from ${JSON.stringify(join(dirname(fileURLToPath(import.meta.url)), 'skip-report.ts'))}
       export default { test: { include: ['*.test.mjs'], reporters: ['default', new SkipReport()] } }`,
    )
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const run = (file: string, require: string) =>
    new Promise<{ status: number; printed: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, file],
        { env: { ...process.env, HOLDFAST_TEST_REQUIRE: require, NO_COLOR: '1' } },
        (_error, stdout, stderr) => resolve({ status: child.exitCode ?? -1, printed: stdout + stderr }),
      )
    })

  it('says what was skipped, and passes', async () => {
    const { status, printed } = await run('age', '')
    expect(printed).toContain('skipped: 1 test needs age (install the package age)')
    expect(printed).toContain('1 passed | 1 skipped')
    expect(status).toBe(0)
  })

  it('fails for a skip where everything is required', async () => {
    const { status, printed } = await run('age', 'all')
    expect(printed).toContain('skipped: 1 test needs age')
    expect(printed).toContain('a skipped test is a failure')
    expect(status).toBe(1)
  })

  it('says what is missing and not to be had, and passes even then', async () => {
    const { status, printed } = await run('mysql', 'all')
    expect(printed).toContain('skipped: 1 test needs mysql (set HOLDFAST_TEST_MYSQL')
    expect(status).toBe(0)
  })
})
