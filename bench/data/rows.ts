/**
 * The rows of the measured databases: the same on every run and for every engine. They look like an application's (ids and
 * times that rise, names, addresses, amounts, status words, JSON, prose of common words), since both the speed of a backup and
 * its size depend on how well the rows compress.
 */

export type Value = string | number | Buffer | readonly number[]
export type Row = readonly Value[]

/** A table as the generators of the engines need it; `columns` are in the order of the values. */
export interface Table {
  readonly name: string
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[]
  /** Columns with an index of their own. */
  readonly indexes: readonly string[]
  readonly rows: () => Iterable<Row>
}

export type ColumnType = 'id' | 'int' | 'amount' | 'time' | 'word' | 'text' | 'json' | 'bytes' | 'ints'

const smallTables = 200
const rowsOfSmallTable = 500
/** Measured with this generator: what one row takes as COPY text. */
const bytesOfOrder = 446
const bytesOfDocument = 3_360

/** About `bytes` of rows: one large table, one of documents (a tenth), 200 small ones. */
export function tables(bytes: number): readonly Table[] {
  const documents = Math.round((bytes * 0.1) / bytesOfDocument)
  const orders = Math.round((bytes * 0.9) / bytesOfOrder)
  return [
    {
      name: 'orders',
      columns: [
        { name: 'id', type: 'id' },
        { name: 'customer_id', type: 'int' },
        { name: 'created_at', type: 'time' },
        { name: 'updated_at', type: 'time' },
        { name: 'status', type: 'word' },
        { name: 'customer', type: 'word' },
        { name: 'email', type: 'word' },
        { name: 'country', type: 'word' },
        { name: 'amount', type: 'amount' },
        { name: 'reference', type: 'word' },
        { name: 'address', type: 'word' },
        { name: 'client', type: 'text' },
        { name: 'attributes', type: 'json' },
        { name: 'note', type: 'text' },
      ],
      indexes: ['customer_id', 'created_at'],
      rows: () => orderRows(orders),
    },
    {
      name: 'documents',
      columns: [
        { name: 'id', type: 'id' },
        { name: 'title', type: 'word' },
        { name: 'body', type: 'json' },
        { name: 'thumbnail', type: 'bytes' },
        { name: 'tags', type: 'ints' },
      ],
      indexes: [],
      rows: () => documentRows(documents),
    },
    ...Array.from({ length: smallTables }, (_, index) => ({
      name: `setting_${String(index + 1).padStart(3, '0')}`,
      columns: [
        { name: 'id', type: 'id' as const },
        { name: 'name', type: 'word' as const },
        { name: 'changed_at', type: 'time' as const },
        { name: 'value', type: 'text' as const },
      ],
      indexes: ['name'],
      rows: () => settingRows(index + 1, rowsOfSmallTable),
    })),
  ]
}

function* orderRows(count: number): Generator<Row> {
  const pick = new Picker(1)
  const statuses = [
    'delivered',
    'delivered',
    'delivered',
    'shipped',
    'paid',
    'pending',
    'cancelled',
    'returned',
  ]
  const countries = ['DE', 'US', 'FR', 'GB', 'ES', 'IT', 'PL', 'NL', 'SE', 'JP']
  const channels = ['web', 'web', 'app', 'shop', 'phone']
  let seconds = Date.UTC(2021, 0, 1) / 1000
  for (let id = 1; id <= count; id += 1) {
    seconds += pick.below(40)
    const first = pick.skewed(firstNames)
    const last = pick.skewed(lastNames)
    const customer = 1 + pick.below(250_000)
    const json =
      `{"channel": "${pick.one(channels)}", "items": ${1 + pick.below(5)}, "weight": ${pick.below(9000)}, ` +
      `"gift": ${pick.below(10) === 0}, "coupon": ${pick.below(4) === 0 ? `"${pick.skewed(words)}${pick.below(100)}"` : 'null'}, ` +
      `"shipping": {"method": "${pick.one(['standard', 'standard', 'express', 'pickup'])}", "days": ${1 + pick.below(9)}}}`
    yield [
      id,
      customer,
      time(seconds),
      time(seconds + pick.below(500_000)),
      pick.one(statuses),
      `${first} ${last}`,
      `${first.toLowerCase()}.${last.toLowerCase()}${customer % 1000}@example.${pick.one(['com', 'com', 'org', 'net'])}`,
      pick.one(countries),
      `${pick.below(900)}.${String(pick.below(100)).padStart(2, '0')}`,
      `R${String(id).padStart(9, '0')}-${pick.hex(3)}`,
      `${pick.skewed(lastNames)} Street ${1 + pick.below(120)}, ${pick.skewed(lastNames)}`,
      pick.skewed(clients),
      json,
      pick.prose(1 + pick.below(3)),
    ]
  }
}

function* documentRows(count: number): Generator<Row> {
  const pick = new Picker(2)
  for (let id = 1; id <= count; id += 1) {
    const sections = Array.from(
      { length: 8 },
      (_, index) =>
        `{"heading": "${pick.skewed(words)}", "page": ${index * 3 + 1}, "text": "${pick.prose(6)}"}`,
    )
    yield [
      id,
      pick.prose(1),
      `{"version": ${pick.below(20)}, "sections": [${sections.join(', ')}]}`,
      pick.bytes(600),
      Array.from({ length: 1 + pick.below(20) }, () => pick.below(1000)),
    ]
  }
}

function* settingRows(seed: number, count: number): Generator<Row> {
  const pick = new Picker(1000 + seed)
  for (let id = 1; id <= count; id += 1) {
    yield [
      id,
      `${pick.skewed(words)}.${pick.skewed(words)}`,
      time(1_600_000_000 + pick.below(1e8)),
      pick.prose(1),
    ]
  }
}

/** `2024-05-01 12:00:00`, in UTC: what every engine reads. */
function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
}

/** Choices by a seeded generator (mulberry32: fast, and even enough for test data). */
class Picker {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  one<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }

  /** The first ones often, the last ones rarely, as words and names are. */
  skewed(values: readonly string[]): string {
    const fraction = this.fraction()
    return values[Math.floor(fraction * fraction * fraction * values.length)] as string
  }

  prose(phrasesWanted: number): string {
    let text = ''
    for (let index = 0; index < phrasesWanted; index += 1)
      text += (index === 0 ? '' : ' ') + this.skewed(phrases)
    return text
  }

  hex(bytes: number): string {
    let text = ''
    for (let index = 0; index < bytes; index += 1) text += this.below(256).toString(16).padStart(2, '0')
    return text
  }

  /** As a picture's: they do not compress. */
  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let index = 0; index < length; index += 1) bytes[index] = this.below(256)
    return bytes
  }
}

const syllables =
  'an ba ce den di er fo gra ha in ka la lo mi men na or pa re ri sa ser ti ter to ul ver vo wa zen'.split(
    ' ',
  )

function inventedWords(seed: number, count: number): readonly string[] {
  const pick = new Picker(seed)
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + pick.below(3) }, () => pick.one(syllables)).join(''),
  )
}

const capital = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1)
const words = inventedWords(11, 6_000)
const firstNames = inventedWords(12, 300).map(capital)
const lastNames = inventedWords(13, 3_000).map(capital)
const clients = [
  'Windows NT 10.0; Win64; x64',
  'Macintosh; Intel Mac OS X 10_15_7',
  'X11; Linux x86_64',
  'Linux; Android 10; K',
].flatMap((system) =>
  Array.from(
    { length: 12 },
    (_, index) =>
      `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${120 + index}.0.0.0 Safari/537.36`,
  ),
)
const phrasePicker = new Picker(14)
const phrases = Array.from({ length: 30_000 }, () =>
  Array.from({ length: 4 + phrasePicker.below(6) }, () => phrasePicker.skewed(words)).join(' '),
)
