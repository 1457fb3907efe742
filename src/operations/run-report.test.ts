import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../errors.js'
import type { BackupResult, Outcome } from './reports.js'
import {
  backupSubjects,
  pruneSubjects,
  restoreSubjects,
  runReport,
  verifySubjects,
  drillSubjects,
  type Intended,
} from './run-report.js'

const start = { operation: 'backup', server: 'web1', started: '2026-11-20T03:00:00.000Z' } as const
const end = new Date('2026-11-20T03:00:12.500Z')
const intended: Intended = {
  kind: 'database',
  names: ['shop', 'docs'],
  storagesOf: () => ['main', 'offsite'],
}

const result: BackupResult = {
  copies: [],
  failedStorages: [],
  id: 'id',
  filename: 'shop.dump',
  plainBytes: 9,
  storedBytes: 3,
  seconds: 2,
  warnings: ['w'],
}
const refused = new HoldfastError('database.denied', 'no', { hint: 'ask', details: { user: 'me' } })
const good: Outcome<BackupResult> = { database: 'shop', ok: true, result }
const bad: Outcome<BackupResult> = { database: 'docs', ok: false, error: refused }

const report = (outcomes: readonly Outcome<BackupResult>[], error?: HoldfastError) =>
  runReport(start, end, backupSubjects(outcomes, intended), error)

describe('a backup', () => {
  it.each([
    ['success', [good, { ...good, database: 'docs' }]],
    ['partial', [good, bad]],
    [
      'partial',
      [
        { ...bad, partial: result },
        { ...bad, database: 'shop' },
      ],
    ],
    ['failure', [bad, { ...bad, database: 'shop' }]],
  ] as const)('is a %s', (expected, outcomes) => {
    expect(report(outcomes)).toMatchObject({ ...start, seconds: 12.5, result: expected })
    expect(report(outcomes)).not.toHaveProperty('error')
  })

  it('of which a storage failed names the storages that have it and those that have not', () => {
    const copies = [{ storage: 'main', manifest: {} as never }]
    const failedStorages = [{ storage: 'offsite', error: refused }]
    const [subject] = backupSubjects([{ ...bad, partial: { ...result, copies, failedStorages } }], intended)
    expect(subject).toMatchObject({
      result: 'partial',
      id: 'id',
      storages: [
        { name: 'main', ok: true },
        { name: 'offsite', ok: false, error: { code: 'database.denied', message: 'no', hint: 'ask' } },
      ],
    })
  })

  it('tells the rows where every table was counted', () => {
    const counted = (...tables: readonly { readonly rows?: number }[]) => {
      const manifest = { fingerprint: { level: 'counts', tables } } as never
      const copies = [{ storage: 'main', manifest }]
      return report([{ ...good, result: { ...result, copies } }]).subjects[0]?.rows
    }
    expect([counted({ rows: 3 }, { rows: 4 }), counted(), counted({ rows: 3 }, {})]).toEqual([
      7,
      0,
      undefined,
    ])
    expect(report([good]).subjects[0]).not.toHaveProperty('rows')
  })

  it('that was ended on the way tells of those that were done, and names those that were not', () => {
    const stopped = new HoldfastError('interrupted.sigint', 'interrupted')
    expect(report([good], stopped)).toMatchObject({
      result: 'partial',
      error: { code: 'interrupted.sigint' },
      subjects: [
        { name: 'shop', result: 'success' },
        { name: 'docs', result: 'failure', storages: [{ name: 'main', ok: false }, { name: 'offsite' }] },
      ],
    })
    expect(report([], stopped).result).toBe('failure')
    expect(report([good, { ...good, database: 'docs' }], stopped).result).toBe('partial')
  })
})

describe('what ended before it had a result', () => {
  const ended = [
    restoreSubjects(undefined, intended),
    pruneSubjects(undefined, intended),
    verifySubjects([], intended),
    drillSubjects([], intended),
  ]
  it.each(ended.map((told) => ({ told })))('names what it was for', ({ told }) => {
    expect(told.map(({ name, result: became }) => [name, became])).toEqual([
      ['shop', 'failure'],
      ['docs', 'failure'],
    ])
  })
})

it('a manifest that cannot be read is of the database in whose folder it lies', () => {
  const id = 'shop/20261120T030000000Z-abcdef.manifest.json'
  const results = [{ id, ok: false, error: refused, storage: 'main' }] as const
  expect(verifySubjects(results, undefined)).toMatchObject([
    { kind: 'database', name: 'shop', result: 'failure', storages: [{ name: 'main', ok: false }], id },
  ])
})

it('an error tells code, message and hint, and none of its details', () => {
  expect(report([bad]).subjects.find(({ name }) => name === 'docs')?.error).toEqual({
    code: 'database.denied',
    message: 'no',
    hint: 'ask',
  })
})
