import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect } from 'vitest'
import { contentOf, execute, holdfastIn, makeShop, testFolder } from '../flows/workbench.js'
import { needsBuild } from '../servers/needs.js'

const program = fileURLToPath(new URL('../../dist/engines/sqlite/program/main.js', import.meta.url))
const killer = pathToFileURL(fileURLToPath(new URL('kill-at.mjs', import.meta.url))).href

/** The process of a run that has ended. */
const gone = spawnSync(process.execPath, ['--version']).pid

needsBuild().describe(
  'a swap of SQLite files that is killed before any of its steps, or after the last',
  () => {
    for (const { title, back, first } of [
      { title: 'a restore', back: false, first: 1 },
      // What is done to the new file before is the same.
      { title: 'an undo', back: true, first: 7 },
    ]) {
      needsBuild().it(
        `FAILURES 7, 67: ${title} leaves the old or the new database under the name, and the next run says which and settles it`,
        async () => {
          const fixture = await makeFixture()
          const answers: string[] = []
          for (let step = first, ended = false; !ended; step++) {
            const run = readyToSwap(fixture, step, back)
            // At last nothing but the run that has started it is killed, when all is done but its record.
            ended = !killedAt(step, run)
            const answer = fixture.which(run.target)
            answers.push(answer)
            const hf = await holdfastIn(run.folder, { databases: { app: `sqlite:${run.target}` } })
            const { plan } = await hf.undoRestore({ dryRun: true })
            expect(plan.warnings[0]).toMatch(
              answer === 'old'
                ? /interrupted: .*app\.db is as it was/u
                : /interrupted: .*app\.db is what it was last swapped to/u,
            )
            if (step === 8) {
              const { checks } = await hf.doctor()
              expect(checks).toContainEqual(expect.objectContaining({ name: 'swap', status: 'warning' }))
            }
            const { warnings } = await hf.undoRestore({ confirm: true })
            expect(warnings.join('\n')).toContain(`app.db is the ${answer} database`)
            // The undo itself, where something was kept to bring back.
            expect(fixture.which(run.target)).toBe(answer === 'new' ? 'old' : back ? 'new' : 'old')
            expect(journalOf(run.target)).toBe('wal')
            const left = readdirSync(run.folder).filter((name) => !/^app\.db(?:-wal|-shm)?$/u.test(name))
            expect(left).toEqual(
              answer === 'new' || back ? [expect.stringMatching(/^app\.db_before_\w+$/u)] : [],
            )
          }
          // The record twice, the new file as the old one is, the old one's second name, and the rename that counts.
          expect(answers).toEqual([...Array<string>(9 - first).fill('old'), 'new'])
        },
      )
    }
  },
)

interface Fixture {
  readonly folder: string
  readonly old: string
  readonly new: string
  which(path: string): 'old' | 'new'
}

async function makeFixture(): Promise<Fixture> {
  const folder = await testFolder()
  const [old, fresh] = [join(folder, 'old.db'), join(folder, 'new.db')]
  for (const path of [old, fresh]) makeShop(path, 20)
  execute(old, 'DELETE FROM sessions')
  for (const path of [old, fresh]) execute(path, 'PRAGMA wal_checkpoint(TRUNCATE)')
  const contents = { old: contentOf(old), new: contentOf(fresh) }
  let reads = 0
  // A copy is read: the driver keeps open what a statement has read, and a swap is not for files that are open.
  const which = (path: string) => {
    const copy = join(folder, `read-${reads++}.db`)
    for (const suffix of ['', '-wal'])
      if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix)
    const found = contentOf(copy)
    if (found === contents.old) return 'old'
    expect(found).toBe(contents.new)
    return 'new'
  }
  return { folder, old, new: fresh, which }
}

interface Run {
  readonly folder: string
  readonly target: string
  readonly from: string
  readonly kept: string
  readonly back: boolean
  readonly record: string
}

/** As a run leaves it right before the swap; the run itself is gone. */
function readyToSwap(fixture: Fixture, step: number, back: boolean): Run {
  const folder = join(fixture.folder, `step-${step}-${back}`)
  mkdirSync(folder)
  const target = join(folder, 'app.db')
  const from = `${target}_${back ? 'before' : 'restoring'}_20260101t000000_0000aa`
  const kept = `${target}_before_20260102t000000_0000bb`
  copyFileSync(fixture.old, target)
  copyFileSync(fixture.new, from)
  const record = join(folder, '.app.db.holdfast_swap')
  writeFileSync(record, JSON.stringify({ pid: gone, at: '2026-01-02T00:00:00.000Z', from, kept, back }))
  return { folder, target, from, kept, back, record }
}

/** False where the program had ended before. */
function killedAt(step: number, { folder: _, ...input }: Run): boolean {
  const { signal, status, stderr } = spawnSync(
    process.execPath,
    ['--import', killer, program, 'swap', JSON.stringify(input)],
    { env: { ...process.env, HOLDFAST_TEST_KILL_AT: String(step) }, encoding: 'utf8' },
  )
  if (signal === 'SIGKILL') return true
  expect([status, stderr]).toEqual([0, ''])
  expect(existsSync(input.from)).toBe(false)
  return false
}

/** By the read version in the file's header. */
function journalOf(path: string): string {
  return readFileSync(path)[19] === 2 ? 'wal' : 'delete'
}
