import { describe, expect, it } from 'vitest'
import type { RunReport, RunSubject } from '../run-report.js'
import { messageOf } from './message.js'
import { done, partly } from './test-receivers.js'

const [shop, docs, crm] = partly.subjects as readonly [RunSubject, RunSubject, RunSubject]
const interrupted = { code: 'interrupted.sigint', message: 'interrupted', hint: 'nothing half-done' } as const
const { error: _error, ...rest } = crm
const untouched: RunSubject = { ...rest, name: 'wiki' }

describe('the subject', () => {
  it.each<[string, Partial<RunReport>]>([
    ['backup done: shop', {}],
    ['backup done: 2 databases', { subjects: [shop, { ...shop, name: 'docs' }] }],
    ['backup partly failed: 2 of 3 databases', partly],
    ['backup partly failed: docs', { result: 'partial', subjects: [docs] }],
    ['backup failed: crm', { result: 'failure', subjects: [crm] }],
    ['backup failed', { result: 'failure', subjects: [], error: { ...interrupted, code: 'config.invalid' } }],
    [
      'backup interrupted: 1 of 2 databases not done',
      { result: 'partial', subjects: [shop, untouched], error: interrupted },
    ],
    [
      'verification partly failed: 1 of 2 backups',
      { operation: 'verify', result: 'partial', subjects: [shop, crm] },
    ],
    ['retention done: shop', { operation: 'prune' }],
    ['restore done: shop', { operation: 'restore' }],
    [
      'backup of files done: 2 backups',
      { operation: 'files-backup', subjects: [{ ...shop, kind: 'files' }, shop] },
    ],
  ])('%s', (subject, report) => {
    expect(messageOf({ ...done, ...report }).subject).toBe(subject)
  })
})

it('the body says what has failed first, then what was not come to, then what is whole', () => {
  const subjects = [shop, crm, untouched]
  const { body } = messageOf({ ...partly, subjects, error: interrupted })
  expect(body).toBe(`backup interrupted: 2 of 3 databases not done

interrupted [interrupted.sigint]
nothing half-done

FAILED: crm
  db1:5432 does not answer [database.unreachable]
  check host and port, and that the server runs

not done: wiki

done: shop
  shop-web1.dump.zst, 20261120T030000000Z-abcdef, 12,345,678 bytes (the dump: 45,000,000)
  storage: main, offsite
  1 min 1 s
  warning: a table has no primary key

server:  web1
started: 2026-11-20T03:00:00.000Z
took:    2 min 5 s
earlier backups: holdfast list
`)
})

it('a backup that does not verify is named, with its storage', () => {
  const subject: RunSubject = { ...crm, id: '20261120T030000000Z-abcdef' }
  const { body } = messageOf({ ...partly, operation: 'verify', result: 'failure', subjects: [subject] })
  expect(body).toContain('\n  20261120T030000000Z-abcdef in main\n')
})
