import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cell, Row } from '../../engine/cell.js'
import type { RowSource } from '../../engine/row-source.js'
import type { ColumnHeader, TableHeader } from '../../engine/table-header.js'
import { nodeEnv } from '../../env/node-env.js'
import { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import { emptyHeader, testColumn } from '../test-tables.js'
import type { MaskConfig } from './mask-config.js'
import { maskTransform } from './mask-transform.js'
import { mask } from './mask.js'
import type { MaskRule } from './mask-rule.js'

const key = new Secret('a key that nobody guesses')
const cx = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }

function table(name: string, columns: readonly ColumnHeader[], more: Partial<TableHeader> = {}): TableHeader {
  return { ...emptyHeader(name), columns, ...more }
}

function sourceOf(tables: readonly TableHeader[]): RowSource {
  return {
    tables: () => Promise.resolve(tables),
    warnings: [],
    rows() {
      throw new TypeError('a mask reads no rows')
    },
    close: () => Promise.resolve(),
  }
}

async function masked(config: MaskConfig, tables: readonly TableHeader[], dumped = tables) {
  const prepared = await maskTransform({ key, ...config }).prepare(cx, sourceOf(tables), dumped)
  return (name: string, row: Row): Row => {
    const header = tables.find((each) => each.table.name === name)
    if (header === undefined) throw new TypeError(name)
    return prepared.row?.(header)?.(row) ?? row
  }
}

/** What a rule makes of the values of one column. */
async function column(
  rule: MaskRule,
  type: string,
  more: Partial<ColumnHeader> = {},
  config: MaskConfig = {},
) {
  const mask = await masked({ ...config, t: { c: rule } }, [
    table('t', [{ ...testColumn('c', type), ...more }]),
  ])
  return (cell: Cell): Cell => mask('t', [cell])[0] ?? null
}

/** A cell as text. */
function shown(cell: Cell | undefined): string {
  return typeof cell === 'string' ? cell : JSON.stringify(cell)
}

async function refusal(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    if (error instanceof HoldfastError) return `${error.code}: ${error.message}`
    throw error
  }
  return 'not refused'
}

const users = table(
  'users',
  [
    { ...testColumn('id', 'i64'), primaryKey: 1, nullable: false },
    { ...testColumn('email', 'text'), nullable: false, maxLength: 60 },
    { ...testColumn('password_hash', 'text'), nullable: false },
    testColumn('note', 'text'),
  ],
  { unique: [['email']] },
)
const orders = table(
  'orders',
  [{ ...testColumn('id', 'i64'), primaryKey: 1, nullable: false }, testColumn('user_email', 'text')],
  {
    foreignKeys: [{ columns: ['user_email'], references: { name: 'users' }, referencedColumns: ['email'] }],
  },
)
const logs = table('logs', [testColumn('order_mail', 'text')], {
  foreignKeys: [
    { columns: ['order_mail'], references: { name: 'orders' }, referencedColumns: ['user_email'] },
  ],
})

describe('masks', () => {
  it('replace what the configuration names; NULL stays NULL, the rest stays as it is', async () => {
    const row = await masked(
      { users: { email: mask.email(), note: mask.null() }, '*': { 'PASSWORD*': mask.const('x') } },
      [users],
    )
    const [id, email, password, note] = row('users', [7, 'ada@work.test', 'hunter2', 'likes tea'])
    expect([id, password, note]).toEqual([7, 'x', null])
    expect(email).toMatch(/^[a-z2-7]{16}@example\.com$/u)
    expect(row('users', [7, null, null, null])).toEqual([7, null, null, null])
  })

  it('are the same for the same key, whatever the order, and others for another key', async () => {
    const one = await column(mask.name(), 'text')
    const again = await column(mask.name(), 'text')
    const other = await column(mask.hash(), 'text', {}, { key: 'another key of some length' })
    const hash = await column(mask.hash(), 'text')
    expect([one('a'), one('b'), one('a')]).toEqual([again('a'), again('b'), again('a')])
    expect(other('a')).not.toBe(hash('a'))
  })

  it('follow foreign keys to the root, over several tables', async () => {
    const row = await masked({ users: { email: mask.email() } }, [logs, orders, users])
    const email = row('users', [1, 'a@x', 'p', null])[1]
    expect(email).toMatch(/@example/u)
    expect(row('orders', [1, 'a@x'])[1]).toBe(email)
    expect(row('logs', ['a@x'])[0]).toBe(email)
  })

  it('give equal values of columns that share a domain the same mask, and of others another', async () => {
    const one = table('one', [testColumn('a', 'text'), testColumn('b', 'text'), testColumn('c', 'text')])
    const shared = mask.hash({ domain: 'person' })
    const row = await masked({ one: { a: shared, b: shared, c: mask.hash() } }, [one])
    const [a, b, c] = row('one', ['same', 'same', 'same'])
    expect(a).toBe(b)
    expect(a).not.toBe(c)
  })

  it('may set what refers to NULL and leave the root alone', async () => {
    const row = await masked({ orders: { user_email: mask.null() } }, [orders, users])
    expect(row('orders', [1, 'a@x'])).toEqual([1, null])
    expect(row('users', [1, 'a@x', 'p', 'n'])).toEqual([1, 'a@x', 'p', 'n'])
  })

  it('hand a function the value, the row before any mask, and a hash', async () => {
    const rule = mask.fn(
      (value, { table, column, row, hash }) =>
        `${table}.${column} ${shown(row['id'])} ${hash(shown(value)).length}`,
    )
    const row = await masked({ users: { email: mask.email(), note: rule } }, [users])
    expect(row('users', [7, 'a@x', 'p', 'n'])[3]).toBe('users.note 7 64')
    const bad = await masked(
      {
        users: {
          note: mask.fn(() => {
            throw new Error('secret n')
          }),
        },
      },
      [users],
    )
    const message = await refusal(() => bad('users', [7, 'a@x', 'p', 'n']))
    expect(message).toBe('refused.cells: users.note (mask.users.note): mask.fn has thrown an error')
  })
})

describe('masked values', () => {
  const different =
    (type: string, rule: MaskRule, values: fc.Arbitrary<Cell>, more: Partial<ColumnHeader> = {}) =>
    async (check: (value: Cell, masked: Cell) => void = () => undefined) => {
      const mask = await column(rule, type, { primaryKey: 1, nullable: false, ...more })
      fc.assert(
        fc.property(
          fc.uniqueArray(values, { minLength: 2, maxLength: 12, selector: (value) => JSON.stringify(value) }),
          (cells) => {
            const made = cells.map(mask)
            expect(new Set(made.map((each) => JSON.stringify(each))).size).toBe(cells.length)
            for (const [index, cell] of cells.entries()) check(cell, made[index] ?? null)
          },
        ),
        { numRuns: 40 },
      )
    }
  const words = fc.string({ unit: fc.constantFrom(...'abzABZ019 .,-éÉßøŁłIiıİÜяЯ日本가'), maxLength: 20 })

  it('text: unique stays unique, also without regard to case; length and form stay', async () => {
    await different(
      'text',
      mask.text(),
      words,
    )((value, made) => {
      expect([...shown(made)].length).toBe([...shown(value)].length)
      expect(shown(made).replace(/[\p{L}\p{N}]/gu, 'x')).toBe(shown(value).replace(/[\p{L}\p{N}]/gu, 'x'))
    })
    const mask2 = await column(mask.text(), 'text')
    expect(shown(mask2('Ada Byron')).toLowerCase()).toBe(shown(mask2('ADA BYRON')).toLowerCase())
    expect(shown(mask2('x'.repeat(500)))).toMatch(/^[a-z]{500}$/u)
    expect(shown(mask2('x'.repeat(500)))).not.toMatch(/^(.{48})\1/u)
  })

  it('digits and numbers: unique, of the same length, sign and type', async () => {
    await different(
      'text',
      mask.digits(),
      fc.stringMatching(/^\+?[0-9 ()-]{0,15}$/u),
    )((value, made) => {
      expect(shown(made).replace(/\d/gu, '9')).toBe(shown(value).replace(/\d/gu, '9'))
    })
    await different(
      'i16',
      mask.number(),
      fc.integer({ min: -32_768, max: 32_767 }),
    )((value, made) => {
      expect(Math.abs(made as number)).toBeLessThanOrEqual(32_768)
      expect(shown(made).length).toBe(shown(value).length)
    })
    const big = fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : String(value)))
    await different(
      'i64',
      mask.digits(),
      big,
    )((value, made) => {
      expect(typeof made).toBe(typeof value)
      expect(BigInt.asIntN(64, BigInt(made as number | string))).toBe(BigInt(made as number | string))
    })
    await different(
      'numeric(12,2)',
      mask.number(),
      fc.integer({ min: 0, max: 10 ** 9 }).map((cents) => (cents / 100).toFixed(2)),
    )((value, made) => {
      expect(made).toMatch(/^\d+\.\d\d$/u)
      expect(shown(made).length).toBe(shown(value).length)
    })
    await different(
      'f64',
      mask.number(),
      fc.double({ min: 0.001, max: 1e12, noNaN: true }).map((value) => Number(value.toPrecision(9))),
    )((_value, made) => {
      expect(made).toEqual(expect.any(Number))
    })
  })

  it('e-mail, names, hashes: unique and no longer than the column', async () => {
    for (const rule of [mask.email({ host: 'x.test' }), mask.name(), mask.hash()])
      await different('text', rule, words, { maxLength: 24 })((_value, made) => {
        expect(shown(made).length).toBeLessThanOrEqual(24)
      })
    await different(
      'uuid',
      mask.hash(),
      fc.uuid(),
    )((_value, made) => {
      expect(made).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u)
    })
    await different(
      'bytes',
      mask.hash(),
      fc.uint8Array({ minLength: 12, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    )((value, made) => {
      expect(Buffer.from(shown(made), 'base64').length).toBe(Buffer.from(shown(value), 'base64').length)
    })
  })

  it('dates stay dates of the year, or within the days', async () => {
    const yearly = await column(mask.date(), 'date')
    const near = await column(mask.date({ days: 3 }), 'timestamptz')
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1000-01-05'), max: new Date('9999-12-20'), noInvalidDate: true }),
        (date) => {
          const text = date.toISOString()
          expect(shown(yearly(text.slice(0, 10)))).toMatch(
            new RegExp(`^${text.slice(0, 4)}-[01]\\d-[0-3]\\d$`, 'u'),
          )
          const moved = shown(near(text.replace(/0+Z$/u, '1Z')))
          expect(moved).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u)
          expect(
            Math.abs(Date.parse(moved.slice(0, 10)) - Date.parse(text.slice(0, 10))),
          ).toBeLessThanOrEqual(3 * 86_400_000)
        },
      ),
      { numRuns: 60 },
    )
    expect([yearly('infinity'), yearly('-0044-03-15')]).toEqual([
      'infinity',
      expect.stringMatching(/^-0044-/u),
    ])
  })

  it('ranges hold their ends', async () => {
    const ages = await column(mask.number({ min: 18, max: 20 }), 'i32')
    const made = new Set(Array.from({ length: 60 }, (_, value) => ages(value)))
    expect([...made].sort()).toEqual([18, 19, 20])
    const prices = await column(mask.number({ min: 1, max: 2 }), 'numeric(6,2)')
    expect(prices('12.34')).toMatch(/^(?:1\.\d\d|2\.00)$/u)
  })
})

describe('a mask that cannot keep its promise is refused before the dump', () => {
  const refusals: readonly (readonly [string, MaskConfig, RegExp])[] = [
    [
      'a misspelt column',
      { users: { emial: mask.email() } },
      /^config\.invalid: mask\.users\.emial: there is no column emial/u,
    ],
    [
      'a misspelt table',
      { user: { email: mask.email() } },
      /^config\.invalid: mask\.user: there is no table user/u,
    ],
    ['NULL where there is none', { users: { email: mask.null() } }, /does not take NULL/u],
    [
      'a constant in a key',
      { users: { email: mask.const('x') } },
      /is in a key, and mask\.const makes all its values equal/u,
    ],
    ['a constant of another type', { orders: { id: mask.const(true) } }, /is in a key|does not fit/u],
    [
      'e-mail in a number',
      { orders: { id: mask.email() } },
      /^config\.invalid: orders\.id \(mask\.orders\.id\): mask\.email is for text, and this is i64/u,
    ],
    [
      'a reference that loses its row',
      { orders: { user_email: mask.email() } },
      /orders\.user_email refers to users\.email, which has no rule/u,
    ],
    [
      'a reference with another rule',
      { users: { email: mask.email() }, orders: { user_email: mask.hash() } },
      /which has another rule \(mask\.users\.email\)/u,
    ],
    ['a hash too short for a key', { users: { email: mask.hash({ length: 8 }) } }, /the mask needs 20/u],
    [
      'a short key',
      { key: 'short', users: { email: mask.email() } },
      /mask\.key has fewer than 16 characters/u,
    ],
  ]
  for (const [title, config, message] of refusals) {
    it(title, async () => {
      expect(await refusal(async () => masked(config, [orders, users]))).toMatch(message)
    })
  }

  it('no key where a rule needs one', async () => {
    const transform = maskTransform({ users: { email: mask.email() } })
    expect(await refusal(transform.prepare(cx, sourceOf([users]), [users]))).toMatch(
      /^config\.invalid: mask\.key is missing/u,
    )
  })

  it('a value without a mask is refused, and is not in the message', async () => {
    const text = await column(mask.text(), 'text')
    const message = await refusal(() => text('secret ᛒ'))
    expect(message).toBe(
      'refused.cells: t.c (mask.t.c): a value has a letter that mask.text has no other for',
    )
  })
})

describe('the mode allowlist', () => {
  const config: MaskConfig = {
    mode: 'allowlist',
    users: { id: mask.keep(), email: mask.email(), 'password*': mask.const('x'), note: mask.null() },
    orders: { id: mask.keep() },
  }

  it('is content where every column has a rule, or follows a root that has one', async () => {
    const row = await masked(config, [orders, users])
    expect(row('orders', [3, 'a@x'])).toEqual([3, row('users', [1, 'a@x', '', null])[1]])
  })

  it('names every column without a rule, of the dumped tables', async () => {
    const wider = {
      ...users,
      columns: [...users.columns, testColumn('phone', 'text'), testColumn('born', 'date')],
    }
    expect(await refusal(masked(config, [orders, wider]))).toBe(
      'config.invalid: no mask is given for users.phone, users.born',
    )
    expect(await refusal(masked(config, [orders, wider], [orders]))).toBe('not refused')
  })
})
