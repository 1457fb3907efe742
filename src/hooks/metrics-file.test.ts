import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { nodeEnv } from '../env/node-env.js'
import { updateMetricsFile } from './metrics-file.js'
import { done, partly } from './notifiers/test-receivers.js'
import type { RunReport } from './run-report.js'

const env = nodeEnv()
let folder: string
let path: string

beforeEach(async () => {
  const made = await env.temporaryDirectory()
  onTestFinished(() => made.remove())
  folder = made.path
  path = join(folder, 'holdfast.prom')
})

/** The values of one metric by database and storage. */
function values(metric: string): Record<string, number> {
  const lines = readFileSync(path, 'utf8').split('\n')
  const found = lines.flatMap((line) => {
    const [, database, storage, value] =
      new RegExp(`^${metric}\\{server="web1",database="(.*)",storage="(.*)"\\} (\\S+)$`, 'u').exec(line) ?? []
    return database === undefined ? [] : [[`${database}/${storage}`, Number(value)]]
  })
  return Object.fromEntries(found) as Record<string, number>
}

const at = (time: string, report: RunReport): RunReport => ({ ...report, finished: time })
const seconds = (time: string) => Date.parse(time) / 1000
const [first, second, third] = ['2026-11-20T03:00:00Z', '2026-11-21T03:00:00Z', '2026-11-22T03:00:00Z']

describe('a metrics file', () => {
  it('tells of each database in each storage', async () => {
    await updateMetricsFile(env, path, at(first, partly))
    const places = { 'shop/main': 1, 'shop/offsite': 1, 'docs/main': 1, 'docs/offsite': 0, 'crm/main': 0 }
    expect(values('holdfast_backup_result')).toEqual(places)
    expect(Object.keys(values('holdfast_backup_last_run_timestamp_seconds'))).toEqual(Object.keys(places))
    const succeeded = {
      'shop/main': seconds(first),
      'shop/offsite': seconds(first),
      'docs/main': seconds(first),
    }
    expect(values('holdfast_backup_last_success_timestamp_seconds')).toEqual(succeeded)
    expect(values('holdfast_backup_size_bytes')).toEqual({
      'shop/main': 12_345_678,
      'shop/offsite': 12_345_678,
    })
    expect(values('holdfast_backup_plain_bytes')['shop/main']).toBe(45_000_000)
    expect(values('holdfast_backup_rows')).toEqual({})
    expect(values('holdfast_backup_duration_seconds')['shop/main']).toBe(61)
  })

  it('tells how many rows there were, until a backup comes that has not counted them', async () => {
    const counted = { ...done, subjects: done.subjects.map((subject) => ({ ...subject, rows: 1200 })) }
    await updateMetricsFile(env, path, counted)
    expect(values('holdfast_backup_rows')).toEqual({ 'shop/main': 1200, 'shop/offsite': 1200 })
    const failed = counted.subjects.map(({ name, kind }) => ({
      ...{ name, kind, result: 'failure' as const, warnings: [] },
      storages: [{ name: 'main', ok: false }],
    }))
    await updateMetricsFile(env, path, { ...done, result: 'failure', subjects: failed })
    expect(values('holdfast_backup_rows')).toEqual({ 'shop/main': 1200, 'shop/offsite': 1200 })
    await updateMetricsFile(env, path, done)
    expect(values('holdfast_backup_rows')).toEqual({})
  })

  it('is in the text format of Prometheus', async () => {
    await updateMetricsFile(env, path, done)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    for (const line of lines) {
      expect(line).toMatch(
        /^(?:|# HELP holdfast_\w+ .+|# TYPE holdfast_\w+ gauge|holdfast_\w+\{\w+="[^"]*"(?:,\w+="[^"]*")*\} [\d.e+]+)$/u,
      )
    }
    // Nothing of the process that wrote it.
    expect(lines.some((line) => line.includes('nodejs') || line.includes('process_'))).toBe(false)
  })

  it('keeps the last success when a run fails, and brings it up to date with the next', async () => {
    await updateMetricsFile(env, path, at(first, done))
    const [shop] = done.subjects
    const broken = { ...shop, result: 'failure', storages: [{ name: 'main', ok: false }] } as typeof shop &
      object
    await updateMetricsFile(env, path, at(second, { ...done, result: 'failure', subjects: [broken] }))
    expect(values('holdfast_backup_result')).toEqual({ 'shop/main': 0, 'shop/offsite': 1 })
    expect(values('holdfast_backup_last_success_timestamp_seconds')['shop/main']).toBe(seconds(first))
    expect(values('holdfast_backup_last_run_timestamp_seconds')['shop/main']).toBe(seconds(second))
    expect(values('holdfast_backup_size_bytes')['shop/main']).toBe(12_345_678)
    await updateMetricsFile(env, path, at(third, done))
    expect(values('holdfast_backup_result')['shop/main']).toBe(1)
    expect(values('holdfast_backup_last_success_timestamp_seconds')['shop/main']).toBe(seconds(third))
  })

  it('keeps what a run says nothing of: other databases, other operations', async () => {
    await updateMetricsFile(env, path, partly)
    const [shop] = done.subjects
    const other = { ...shop, name: 'wiki' } as typeof shop & object
    await updateMetricsFile(env, path, { ...done, operation: 'files-backup', subjects: [other] })
    expect(Object.keys(values('holdfast_backup_result'))).toHaveLength(5)
    expect(values('holdfast_files_backup_result')).toEqual({ 'wiki/main': 1, 'wiki/offsite': 1 })
  })

  it('tells a hook that failed after a backup apart: there is a backup, and the run did not succeed', async () => {
    const [shop] = done.subjects
    const after = { ...shop, result: 'partial' } as typeof shop & object
    await updateMetricsFile(env, path, { ...done, result: 'partial', subjects: [after] })
    expect(values('holdfast_backup_result')['shop/main']).toBe(0)
    expect(values('holdfast_backup_last_success_timestamp_seconds')['shop/main']).toBeGreaterThan(0)
  })

  it('of several backups of one database is good where all are', async () => {
    const [shop] = done.subjects
    const good = { ...shop, storages: [{ name: 'main', ok: true }] } as typeof shop & object
    const bad = { ...good, result: 'failure', storages: [{ name: 'main', ok: false }] } as const
    const report = { ...done, operation: 'verify', result: 'partial' } as const
    await updateMetricsFile(env, path, { ...report, subjects: [good, bad, good] })
    expect(values('holdfast_verify_result')).toEqual({ 'shop/main': 0 })
    await updateMetricsFile(env, path, { ...report, subjects: [good, good] })
    expect(values('holdfast_verify_result')).toEqual({ 'shop/main': 1 })
    expect(values('holdfast_verify_size_bytes')).toEqual({ 'shop/main': 2 * 12_345_678 })
  })

  it.skipIf(process.platform === 'win32')('is readable for all, whatever the umask, and alone', async () => {
    const previous = process.umask(0o077)
    try {
      await updateMetricsFile(env, path, done)
      await updateMetricsFile(env, path, done)
    } finally {
      process.umask(previous)
    }
    expect(statSync(path).mode & 0o777).toBe(0o644)
    expect(readdirSync(folder)).toEqual(['holdfast.prom'])
  })

  it('of somebody else is left as it is', async () => {
    const foreign = '# HELP up x\nnode_load1 0.5\n'
    writeFileSync(path, foreign)
    await expect(updateMetricsFile(env, path, done)).rejects.toThrow("holds metrics that are not Holdfast's")
    expect(readFileSync(path, 'utf8')).toBe(foreign)
  })

  it('is not made in a folder that is not there', async () => {
    await expect(updateMetricsFile(env, join(folder, 'none', 'x.prom'), done)).rejects.toMatchObject({
      code: 'ENOENT',
    })
    expect(readdirSync(folder)).toEqual([])
  })

  it('FAILURES 5: whose name is taken by a folder leaves nothing behind', async () => {
    const taken = join(folder, 'taken.prom')
    await updateMetricsFile(env, join(folder, 'other.prom'), done)
    mkdirSync(taken)
    await expect(updateMetricsFile(env, taken, done)).rejects.toMatchObject({ code: 'EISDIR' })
    expect(readdirSync(folder).sort()).toEqual(['other.prom', 'taken.prom'])
  })

  it('reads back every name as it was written', async () => {
    const [shop] = done.subjects
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.oneof(name, fc.constantFrom('a"b', 'a\\n', 'a\nb', 'a}b{', '\\', 'a\u2028b', 'a\rb')),
        ),
        async (names) => {
          writeFileSync(path, '')
          const subjects = names.map((each) => ({ ...shop, name: each }) as typeof shop & object)
          await updateMetricsFile(env, path, { ...done, subjects })
          const once = readFileSync(path, 'utf8')
          await updateMetricsFile(env, path, { ...done, subjects })
          expect(readFileSync(path, 'utf8')).toBe(once)
          expect(once.split('\n').filter((line) => line.startsWith('holdfast_backup_result')).length).toBe(
            2 * names.length,
          )
        },
      ),
      { numRuns: 40 },
    )
  })
})
