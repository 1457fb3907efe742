import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { hang, httpReceiver } from '../../src/hooks/notifiers/test-receivers.js'
import type { RunReport } from '../../src/hooks/run-report.js'
import { makeShop } from '../flows/workbench.js'
import { built, collect, holdfast, project, start } from './command-line.js'

built.describe('--metrics-file', () => {
  it('is written by backup, restore, verify and prune, and by none without it', async () => {
    const cwd = await project({ retention: { last: 5 } })
    for (const words of ['backup', 'verify', 'prune', 'restore --yes']) {
      const ended = await holdfast([...words.split(' '), '--metrics-file', 'm.prom'], { cwd })
      expect(ended.code).toBe(0)
      const [operation] = words.split(' ')
      const text = readFileSync(join(cwd, 'm.prom'), 'utf8')
      expect(text).toContain(`holdfast_${operation}_result{server="test",database="shop",storage="main"} 1`)
    }
    const before = readFileSync(join(cwd, 'm.prom'), 'utf8')
    await holdfast(['backup'], { cwd })
    expect(readFileSync(join(cwd, 'm.prom'), 'utf8')).toBe(before)
    const variables = { HOLDFAST_METRICS_FILE: 'other.prom' }
    await holdfast(['backup', '-q'], { cwd, variables })
    expect(readFileSync(join(cwd, 'other.prom'), 'utf8')).toContain('holdfast_backup_result')
  })

  it('of a failure says so, and keeps the last success', async () => {
    const cwd = await project()
    expect((await holdfast(['backup', '--metrics-file', 'm.prom'], { cwd })).code).toBe(0)
    const success = /^holdfast_backup_last_success_timestamp_seconds.*$/mu
    const before = success.exec(readFileSync(join(cwd, 'm.prom'), 'utf8'))?.[0]
    const failed = await holdfast(['backup', '--exclude', 'nope', '--metrics-file', 'm.prom'], { cwd })
    expect(failed.code).toBe(2)
    const after = readFileSync(join(cwd, 'm.prom'), 'utf8')
    expect(success.exec(after)?.[0]).toBe(before)
    expect(after).toContain('holdfast_backup_result{server="test",database="shop",storage="main"} 0')
  })

  it('that cannot be written is a warning, and the exit code stays', async () => {
    const cwd = await project()
    const ended = await holdfast(['backup', '--metrics-file', 'no/such/m.prom'], { cwd })
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain('warning: the metrics were not written: ENOENT')
  })
})

built.describe('a notifier', () => {
  it('FAILURES 6: is told of a run that was interrupted', async () => {
    const web = await httpReceiver()
    const cwd = await project({ notify: { ops: { kind: 'webhook', url: web.url } } })
    const ended = await interrupted(cwd)
    expect(ended).toMatchObject({ code: 130 })
    const reports = web.received.map(({ body }) => JSON.parse(body) as RunReport)
    expect(reports).toMatchObject([
      { operation: 'backup', result: 'failure', error: { code: 'interrupted.sigint' } },
    ])
  })

  it('FAILURES 8: that hangs keeps an interrupted run for a few seconds at most', async () => {
    const web = await httpReceiver(hang)
    const notify = {
      ops: { kind: 'webhook', url: web.url, timeoutMs: 600_000 },
      alive: { kind: 'ping', url: web.url, timeoutMs: 600_000 },
    }
    const ended = await interrupted(await project({ notify }))
    expect(ended.code).toBe(130)
    expect(ended.ms).toBeLessThan(15_000)
    expect(ended.stderr.match(/told of the (?:start|failure): it did not end within 5000 ms/gu)).toHaveLength(
      3,
    )
  })

  it('that fails is a warning, and nothing of its address is shown but the host', async () => {
    const { port } = await httpReceiver(404)
    const url = `http://me:hunter22@127.0.0.1:${port}/T0/hunter22`
    const cwd = await project({ notify: { ops: { kind: 'slack', url } } })
    const ended = await holdfast(['backup', '--verbose'], { cwd })
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain(
      `warning: the notifier ops (slack) has not told of the success: 127.0.0.1:${port} answered 404\n`,
    )
    const shown = await holdfast(['config'], { cwd })
    expect(shown.stdout).toMatch(/^notify\.ops .*"kind":"slack".* +holdfast\.config\.json$/mu)
    expect(ended.stderr + ended.stdout + shown.stdout).not.toContain('hunter22')
  })

  it('that is misspelt is an error with the nearest name', async () => {
    const cwd = await project({ notify: { ops: { kind: 'slack', url: 'https://h', retires: 1 } } })
    const ended = await holdfast(['backup'], { cwd })
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain(
      'notify.ops.retires is not known; did you mean retries [config.unknown-key]',
    )
  })
})

/** A backup to a reader that does not read, ended by Ctrl-C. */
async function interrupted(cwd: string) {
  makeShop(join(cwd, 'large.sqlite3'), 60_000)
  const child = start(['backup', 'sqlite:./large.sqlite3', '-o', '-', '--compress', 'none'], { cwd })
  const stderr = collect(child, 'stderr')
  await once(child.stdout ?? child, 'readable')
  const began = performance.now()
  child.kill('SIGINT')
  const [code] = (await once(child, 'exit')) as [number | null]
  return { code, stderr: stderr(), ms: performance.now() - began }
}
