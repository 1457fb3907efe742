import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { HoldfastError } from '../errors.js'
import type { ConnectorCheck } from './connector-contract.js'
import type { ConnectorFixture, ContractDatabase } from './connector-fixture.js'
import {
  contentOf,
  dumpRequest,
  partsSource,
  readAll,
  readDump,
  rejectsWith,
  type ConnectorWorkbench,
} from './connector-workbench.js'

/** How soon after an abort a connector must have given up. */
const promptMs = 10_000

/** What inspect and dump promise. */
export function dumpChecks({ factory, sample, opaque = false }: ConnectorFixture): ConnectorCheck[] {
  const { exclude, excludeData, schemas } = factory.capabilities
  return [
    ...(opaque
      ? ([['inspect tells whether anything is there', inspectsEmptiness]] as const)
      : ([
          ['inspect tells the truth about tables and objects', inspectsTruly],
          ['the schema hash changes with the schema and with nothing else', hashesSchema],
        ] as const)),
    ['dump and restore give the same rows and definitions', roundTrips],
    factory.format.checked === false
      ? (['the format takes a whole dump, and says that it cannot tell one that is cut', takesDump] as const)
      : (['the format takes a whole dump and refuses one that is cut anywhere', checksFormat] as const),
    ['dump of an empty database restores as an empty database', roundTripsEmpty],
    ['a database that does not exist is database.not-found', findsMissing],
    ['an abort before the dump stops it', stopsBefore],
    ['an abort during the dump ends it promptly and leaves nothing behind', stopsDuring],
    ['a reader that gives up leaves nothing behind', survivesReader],
    ...(exclude ? excludeChecks(sample.lone, sample.odd) : [refusedSetting('exclude', sample.lone)]),
    ...(excludeData
      ? excludeDataChecks(sample.lone, sample.odd)
      : [refusedSetting('excludeData', sample.lone)]),
    schemas
      ? (['schemas dumps only the schemas named', dumpsSchemas] as const)
      : refusedSetting('schemas', 'public'),
  ]
}

async function inspectsTruly(bench: ConnectorWorkbench): Promise<void> {
  const cx = bench.context()
  const database = await bench.empty()
  const before = (await bench.connector(database).inspect(cx)).server
  assert.deepEqual(before.tables, [])
  assert.equal(before.objectCount, 0, 'an empty database holds no object')
  await bench.fixture.fill(database)
  const { server } = await bench.connector(database).inspect(cx)
  const expected = await database.tables()
  assert.deepEqual(server.tables.map(({ name }) => name).sort(), [...expected].sort())
  assert(server.objectCount > expected.length, 'views and triggers are objects, too')
  assert(server.product !== '' && /^\d/u.test(server.version), 'product and version')
  assert.notEqual(server.schemaHash, '')
  assert.notEqual(server.schemaHash, before.schemaHash)
}

async function inspectsEmptiness(bench: ConnectorWorkbench): Promise<void> {
  const database = await bench.empty()
  const facts = async () => (await bench.connector(database).inspect(bench.context())).server
  assert.equal((await facts()).objectCount, 0, 'an empty database holds no object')
  await bench.fixture.fill(database)
  const { objectCount, product } = await facts()
  assert(objectCount > 0, 'the fixture has filled the database')
  assert.notEqual(product, '')
}

async function takesDump(bench: ConnectorWorkbench): Promise<void> {
  for (const { name, bytes } of (await bench.sampleDump()).parts) {
    assert(bytes.length > 0, `part ${name} is empty`)
    const checker = bench.factory.format.checker()
    checker.push(bytes)
    checker.end()
  }
}

async function hashesSchema(bench: ConnectorWorkbench): Promise<void> {
  const database = await bench.filled()
  const hash = () => bench.schemaHash(database)
  const first = await hash()
  assert.equal(await hash(), first, 'asked twice')
  const connector = bench.connector(database)
  const { server } = await connector.inspect(bench.context(), { schemaHash: false })
  const dump = await connector.dump(bench.context(), dumpRequest())
  await readDump(dump)
  assert.equal((await dump.facts()).schemaHash ?? server.schemaHash, first, 'told by a dump or before it')
  await database.execute(bench.fixture.sample.changeRows)
  assert.equal(await hash(), first, 'after a change of rows')
  await database.execute(bench.fixture.sample.changeSchema)
  assert.notEqual(await hash(), first, 'after a change of a definition')
}

async function roundTrips(bench: ConnectorWorkbench): Promise<void> {
  const { parts, content, schemaHash } = await bench.sampleDump()
  const tables = Object.keys(content.digest)
  assert(tables.length > (bench.fixture.opaque === true ? 0 : 3), 'the fixture has filled the database')
  const restored = await bench.empty()
  await bench.restore(restored, partsSource(parts))
  assert.deepEqual(await contentOf(restored), content)
  assert.equal(await bench.schemaHash(restored), schemaHash)
}

async function sameContent(
  { fixture }: ConnectorWorkbench,
  actual: ContractDatabase,
  expected: ContractDatabase,
): Promise<void> {
  const wanted = await expected.digest()
  assert(
    Object.keys(wanted).length > (fixture.opaque === true ? 0 : 3),
    'the fixture has filled the database',
  )
  assert.deepEqual(await actual.digest(), wanted)
  assert.equal(await actual.schemaText(), await expected.schemaText())
}

async function checksFormat(bench: ConnectorWorkbench): Promise<void> {
  const { format } = bench.factory
  const check = (bytes: Buffer, step = 65_536) => {
    const checker = format.checker()
    // One piece of memory, overwritten for each chunk: what a checker keeps it has to copy.
    const memory = Buffer.alloc(step)
    for (let start = 0; start < bytes.length; start += step)
      checker.push(memory.subarray(0, bytes.copy(memory, 0, start)))
    checker.end()
  }
  for (const part of (await bench.sampleDump()).parts) {
    assert(part.bytes.length > 0, `part ${part.name} is empty`)
    if (part.role !== 'dump') continue
    assert(format.recognises(part.bytes.subarray(0, 512)), 'the format knows its own head')
    assert(!format.recognises(Buffer.alloc(512, 'Once upon a time ')), 'the format knows what is not its own')
    check(part.bytes)
    check(part.bytes.subarray(0), 997)
    for (const cut of cutsOf(part.bytes, bench.fixture.harmlessTailBytes ?? 0)) {
      const refused = Promise.resolve().then(() => check(part.bytes.subarray(0, cut)))
      await rejectsWith(refused, ['integrity.*']).catch((error: unknown) => {
        throw new assert.AssertionError({
          message: `cut at ${cut} of ${part.bytes.length}: ${String(error)}`,
        })
      })
    }
  }
}

/** Where to cut a dump: everywhere near its ends, and here and there between. 0 makes it empty. */
function cutsOf(bytes: Buffer, harmlessTailBytes: number): number[] {
  let end = bytes.length
  while (end > 0 && [0x20, 0x0a, 0x0d].includes(bytes[end - 1] ?? 0)) end--
  end -= harmlessTailBytes
  const near = [
    0,
    1,
    2,
    15,
    16,
    99,
    100,
    511,
    512,
    1024,
    4096,
    end - 100,
    end - 17,
    end - 5,
    end - 2,
    end - 1,
  ]
  const between = Array.from({ length: 60 }, (_, step) => Math.floor((end * (step + 1)) / 61))
  return [...near, ...between].filter((cut) => cut >= 0 && cut < end)
}

async function roundTripsEmpty(bench: ConnectorWorkbench): Promise<void> {
  const restored = await bench.roundTrip(await bench.empty())
  assert.deepEqual(await restored.tables(), [])
}

async function findsMissing(bench: ConnectorWorkbench): Promise<void> {
  const connector = bench.connector(await bench.missing())
  await rejectsWith(connector.inspect(bench.context()), ['database.not-found'])
  const dump = async () => readDump(await connector.dump(bench.context(), dumpRequest()))
  await rejectsWith(dump(), ['database.not-found'])
  // Asking must not have made it.
  await rejectsWith(connector.inspect(bench.context()), ['database.not-found'])
}

async function stopsBefore(bench: ConnectorWorkbench): Promise<void> {
  const connector = bench.connector(await bench.filled())
  const cx = bench.context(AbortSignal.abort(new HoldfastError('interrupted.sigint', 'interrupted')))
  const dump = async () => readDump(await connector.dump(cx, dumpRequest()))
  await rejectsWith(dump(), ['interrupted.sigint'])
}

async function stopsDuring(bench: ConnectorWorkbench): Promise<void> {
  const database = await bench.filled()
  const abort = new AbortController()
  const dump = await bench.connector(database).dump(bench.context(abort.signal), dumpRequest())
  const started = performance.now()
  const outcome = readWithAbort(bench, dump, abort)
  if ((await outcome) === 'aborted')
    assert(performance.now() - started < promptMs, 'the dump went on after the abort')
  await bench.leftNothing()
}

/** A small dump may be complete before the abort reaches it; then it must be whole. */
async function readWithAbort(
  bench: ConnectorWorkbench,
  dump: Awaited<ReturnType<ReturnType<ConnectorWorkbench['connector']>['dump']>>,
  abort: AbortController,
): Promise<'aborted' | 'whole'> {
  try {
    for await (const part of dump.parts) {
      abort.abort(new HoldfastError('interrupted.sigint', 'interrupted'))
      const bytes = await readAll(part.bytes)
      if (part.role !== 'dump') continue
      const checker = bench.factory.format.checker()
      checker.push(bytes)
      checker.end()
    }
    return 'whole'
  } catch (error) {
    const code = error instanceof HoldfastError ? error.code : String(error)
    assert.equal(code, 'interrupted.sigint')
    return 'aborted'
  }
}

async function survivesReader(bench: ConnectorWorkbench): Promise<void> {
  const database = await bench.filled()
  const dump = await bench.connector(database).dump(bench.context(), dumpRequest())
  const full = new HoldfastError('storage.full', 'no space')
  const read = async () => {
    for await (const part of dump.parts) {
      const closed = once(part.bytes, 'close').catch(() => undefined)
      part.bytes.on('error', () => undefined)
      part.bytes.destroy(full)
      await closed
      throw full
    }
  }
  await rejectsWith(read(), ['storage.full'])
  await bench.leftNothing()
  await sameContent(bench, await bench.roundTrip(database), database)
}

function excludeChecks(lone: string, odd: string): ConnectorCheck[] {
  const leavesOut = async (bench: ConnectorWorkbench, pattern: string, table: string) => {
    const database = await bench.filled()
    const wanted = { ...(await database.digest()) }
    const key = digestKey(wanted, table)
    delete wanted[key]
    const restored = await bench.roundTrip(database, { exclude: [pattern] })
    assert.deepEqual(await restored.digest(), wanted)
    assert(!(await restored.tables()).includes(table), 'the table itself is left out')
  }
  return [
    ['exclude leaves out a table', (bench) => leavesOut(bench, lone, lone)],
    ['exclude takes * for any characters', (bench) => leavesOut(bench, `${lone.slice(0, 4)}*`, lone)],
    ['exclude takes a name with odd characters', (bench) => leavesOut(bench, odd, odd)],
    ['exclude of one dump does not reach the next', (bench) => doesNotLeak(bench, { exclude: [lone] })],
    ['an exclude that matches nothing is an error', (bench) => unmatched(bench, { exclude: ['no_such_*'] })],
  ]
}

function excludeDataChecks(lone: string, odd: string): ConnectorCheck[] {
  const empties = async (bench: ConnectorWorkbench, pattern: string, table: string) => {
    const database = await bench.filled()
    const wanted = { ...(await database.digest()) }
    const key = digestKey(wanted, table)
    const restored = await bench.roundTrip(database, { excludeData: [pattern] })
    const found = await restored.digest()
    assert.deepEqual({ ...found, [key]: '' }, { ...wanted, [key]: '' })
    assert((await database.rowCount(table)) > 0, 'the fixture has filled the table')
    assert.equal(await restored.rowCount(table), 0)
    assert.equal(await restored.schemaText(), await database.schemaText())
  }
  return [
    ['excludeData keeps a table and leaves out its rows', (bench) => empties(bench, lone, lone)],
    ['excludeData takes * for any characters', (bench) => empties(bench, `${lone.slice(0, 4)}*`, lone)],
    ['excludeData takes a name with odd characters', (bench) => empties(bench, odd, odd)],
    [
      'excludeData of one dump does not reach the next',
      (bench) => doesNotLeak(bench, { excludeData: [lone] }),
    ],
    [
      'an excludeData that matches nothing is an error',
      (bench) => unmatched(bench, { excludeData: ['no_such_*'] }),
    ],
  ]
}

/** Keys of digests are names of tables, with their schema where there are several. */
function digestKey(digest: Readonly<Record<string, string>>, table: string): string {
  const key = Object.keys(digest).find((name) => name === table || name.endsWith(`.${table}`))
  assert(key !== undefined, `the fixture has no digest of ${table}`)
  return key
}

async function doesNotLeak(
  bench: ConnectorWorkbench,
  changes: { exclude?: string[]; excludeData?: string[] },
): Promise<void> {
  const database = await bench.filled()
  const wanted = await contentOf(database)
  const first = bench.connector(database)
  await readDump(await first.dump(bench.context(), dumpRequest(changes)))
  for (const connector of [bench.connector(database), first]) {
    const parts = await readDump(await connector.dump(bench.context(), dumpRequest()))
    const target = await bench.empty()
    await bench.restore(target, partsSource(parts))
    assert.deepEqual(await contentOf(target), wanted)
  }
}

async function unmatched(
  bench: ConnectorWorkbench,
  changes: { exclude?: string[]; excludeData?: string[] },
): Promise<void> {
  const database = await bench.filled()
  const connector = bench.connector(database)
  await rejectsWith(connector.dump(bench.context(), dumpRequest(changes)), ['usage.pattern-unmatched'])
  await sameContent(bench, await bench.roundTrip(database, { ...changes, allowMissing: true }), database)
}

function refusedSetting(setting: 'exclude' | 'excludeData' | 'schemas', value: string): ConnectorCheck {
  return [
    `${setting} is refused before anything starts`,
    async (bench) => {
      const connector = bench.connector(await bench.filled())
      const refused = connector.dump(bench.context(), dumpRequest({ [setting]: [value], allowMissing: true }))
      await rejectsWith(refused, ['usage.not-supported'])
    },
  ]
}

async function dumpsSchemas(bench: ConnectorWorkbench): Promise<void> {
  const { schema } = bench.fixture.sample
  assert(schema !== undefined, 'the fixture names a schema where the connector claims schemas')
  const database = await bench.filled()
  const restored = await bench.roundTrip(database, { schemas: [schema.name] })
  const all = await database.digest()
  const wanted = Object.fromEntries(Object.entries(all).filter(([table]) => schema.tables.includes(table)))
  assert(
    Object.keys(wanted).length > 0 && Object.keys(wanted).length < Object.keys(all).length,
    'one of several schemas',
  )
  assert.deepEqual(await restored.digest(), wanted)
}
