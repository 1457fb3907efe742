import { strict as assert } from 'node:assert'
import type { CleanMode } from '../engine/connector.js'
import { HoldfastError } from '../errors.js'
import type { ConnectorCheck } from './connector-contract.js'
import type { ConnectorFixture, ContractDatabase } from './connector-fixture.js'
import {
  breaking,
  contentOf,
  partsSource,
  rejectsWith,
  restoreRequest,
  stalling,
  type ConnectorWorkbench,
  type Content,
  type ReadPart,
} from './connector-workbench.js'

const cleanModes: readonly CleanMode[] = ['none', 'objects', 'database']

/** What prepareRestore and restore promise. */
export function restoreChecks({ factory }: ConnectorFixture): ConnectorCheck[] {
  const { clean, schemas, create } = factory.capabilities
  return [
    ...cleanModes.filter((mode) => mode !== 'none' && clean.includes(mode)).map(replaces),
    ...cleanModes.filter((mode) => !clean.includes(mode)).map(refusesMode),
    ['clean none loses nothing of what is there', refusesToMix],
    ['prepareRestore changes nothing and says what would be lost', preparesOnly],
    ['a target that does not exist is database.not-found', needsCreate],
    create === false
      ? (['create is refused before anything starts', refusesCreate] as const)
      : (['create makes the database', creates] as const),
    ['create refuses a database that holds something', createRefuses],
    ['a source that fails midway never ends as a success', failsWithSource],
    ...(factory.format.checked === false
      ? []
      : ([['a dump that is cut never restores as a success', failsWhenCut]] as const)),
    ['an empty dump never restores as a success', failsWhenEmpty],
    ['an abort during the restore ends it promptly', stopsDuring],
    ...(schemas
      ? ([['schemas restores only the schemas named', restoresSchemas]] as const)
      : ([['schemas is refused before anything starts', refusesSchemas]] as const)),
  ]
}

/**
 * The dump of the sample, what is to be there after a restore, and a database whose rows differ from the dump; an empty one to
 * restore into where the connector replaces nothing.
 */
async function prepared(bench: ConnectorWorkbench, filled = bench.replaces) {
  const { parts, content: wanted } = await bench.sampleDump()
  const target = filled ? await bench.filled() : await bench.empty()
  if (filled) await target.execute(bench.fixture.sample.changeRows)
  const old = await contentOf(target)
  assert.notDeepEqual(old.digest, wanted.digest, 'changeRows changes rows')
  return { wanted, parts, target, old }
}

function replaces(mode: CleanMode): ConnectorCheck {
  return [
    `clean ${mode} replaces what is there`,
    async (bench) => {
      const { wanted, parts, target } = await prepared(bench)
      await bench.restore(target, partsSource(parts), { clean: mode, disconnect: true })
      assert.deepEqual(await contentOf(target), wanted)
    },
  ]
}

function refusesMode(mode: CleanMode): ConnectorCheck {
  return [
    `clean ${mode} is refused before anything starts`,
    async (bench) => {
      const { parts, target, old } = await prepared(bench)
      const connector = bench.connector(target)
      const request = restoreRequest({ clean: mode })
      await rejectsWith(connector.prepareRestore(bench.context(), partsSource(parts), request), [
        'usage.not-supported',
      ])
      await rejectsWith(connector.restore(bench.context(), partsSource(parts), request), [
        'usage.not-supported',
      ])
      assert.deepEqual(await contentOf(target), old)
    },
  ]
}

async function refusesToMix(bench: ConnectorWorkbench): Promise<void> {
  const { parts, target, old } = await prepared(bench, true)
  await assert.rejects(bench.restore(target, partsSource(parts), { clean: 'none' }), HoldfastError)
  if (bench.factory.capabilities.transactionalRestore) assert.deepEqual(await contentOf(target), old)
  else assert.deepEqual(await target.digest(), old.digest)
}

async function preparesOnly(bench: ConnectorWorkbench): Promise<void> {
  const { parts, target, old } = await prepared(bench, true)
  const prepare = (database: ContractDatabase, create = false) =>
    bench.connector(database).prepareRestore(bench.context(), partsSource(parts), bench.request({ create }))

  if (bench.replaces) {
    const full = await prepare(target)
    assert(full.exists && full.server !== undefined && full.server.objectCount > 0)
    assert(full.losses.length > 0, 'replacing what is there is a loss')
  } else await rejectsWith(prepare(target), ['refused.not-empty'])
  assert.deepEqual(await contentOf(target), old)

  const empty = await bench.empty()
  const none = await prepare(empty)
  assert(none.exists)
  assert.deepEqual(none.losses, [], 'nothing is lost of an empty database')
  assert.deepEqual(await empty.tables(), [])

  if (bench.factory.capabilities.create === false) return
  const missing = await bench.missing()
  const absent = await prepare(missing, true)
  assert(!absent.exists && absent.server === undefined)
  await rejectsWith(bench.connector(missing).inspect(bench.context()), ['database.not-found'])
}

async function needsCreate(bench: ConnectorWorkbench): Promise<void> {
  const { parts } = await bench.sampleDump()
  const missing = await bench.missing()
  const connector = bench.connector(missing)
  await rejectsWith(connector.prepareRestore(bench.context(), partsSource(parts), bench.request()), [
    'database.not-found',
  ])
  await rejectsWith(connector.restore(bench.context(), partsSource(parts), bench.request()), [
    'database.not-found',
  ])
  await rejectsWith(connector.inspect(bench.context()), ['database.not-found'])
}

async function creates(bench: ConnectorWorkbench): Promise<void> {
  const { parts, content } = await bench.sampleDump()
  const missing = await bench.missing()
  await bench.restore(missing, partsSource(parts), { create: true })
  assert.deepEqual(await contentOf(missing), content)
}

async function refusesCreate(bench: ConnectorWorkbench): Promise<void> {
  const { parts } = await bench.sampleDump()
  const connector = bench.connector(await bench.missing())
  const request = bench.request({ create: true })
  const refused = connector.prepareRestore(bench.context(), partsSource(parts), request)
  await rejectsWith(refused, ['usage.not-supported'])
}

async function createRefuses(bench: ConnectorWorkbench): Promise<void> {
  const { parts, target, old } = await prepared(bench, true)
  const connector = bench.connector(target)
  const request = bench.request({ create: true })
  await rejectsWith(connector.prepareRestore(bench.context(), partsSource(parts), request), [
    'refused.not-empty',
  ])
  await rejectsWith(connector.restore(bench.context(), partsSource(parts), request), ['refused.not-empty'])
  assert.deepEqual(await contentOf(target), old)
}

/** The old content where the connector promises it. */
async function keptWhatItPromised(
  bench: ConnectorWorkbench,
  target: ContractDatabase,
  old: Content,
): Promise<void> {
  if (bench.factory.capabilities.transactionalRestore) assert.deepEqual(await contentOf(target), old)
}

/** The largest part: the one whose fault must be found late. */
function largest(parts: readonly ReadPart[]): ReadPart {
  return parts.reduce((most, part) => (part.bytes.length > most.bytes.length ? part : most))
}

async function failsWithSource(bench: ConnectorWorkbench): Promise<void> {
  const { parts, target, old } = await prepared(bench)
  const broken = new HoldfastError('integrity.checksum', 'bytes differ')
  const source = partsSource(parts, (part) =>
    part === largest(parts) ? () => breaking(part.bytes, broken) : part.bytes,
  )
  const codes = bench.factory.capabilities.transactionalRestore
    ? (['integrity.checksum'] as const)
    : (['integrity.checksum', 'restore.incomplete'] as const)
  await rejectsWith(bench.restore(target, source), codes)
  await keptWhatItPromised(bench, target, old)
  if (bench.factory.capabilities.create === false) return
  const missing = await bench.missing()
  await rejectsWith(bench.restore(missing, source, { create: true }), codes)
}

async function failsWhenCut(bench: ConnectorWorkbench): Promise<void> {
  const { parts, target, old } = await prepared(bench)
  const { bytes } = largest(parts)
  const lineEnd = bytes.indexOf(0x0a, Math.floor(bytes.length * 0.6)) + 1
  for (const cut of [Math.floor(bytes.length / 2), lineEnd, bytes.length - 40]) {
    const source = partsSource(parts, (part) =>
      part === largest(parts) ? part.bytes.subarray(0, cut) : part.bytes,
    )
    await rejectsWith(bench.restore(target, source), [
      'integrity.*',
      'tool.failed',
      'restore.incomplete',
      'database.query-failed',
    ])
    await keptWhatItPromised(bench, target, old)
  }
}

async function failsWhenEmpty(bench: ConnectorWorkbench): Promise<void> {
  const { parts, target, old } = await prepared(bench)
  const source = partsSource(parts, (part) => (part === largest(parts) ? Buffer.alloc(0) : part.bytes))
  await assert.rejects(bench.restore(target, source), HoldfastError)
  await keptWhatItPromised(bench, target, old)
}

async function stopsDuring(bench: ConnectorWorkbench): Promise<void> {
  const { parts, target, old } = await prepared(bench)
  const abort = new AbortController()
  const stop = () => abort.abort(new HoldfastError('interrupted.sigint', 'interrupted'))
  const source = partsSource(parts, (part) =>
    part === largest(parts) ? () => stalling(part.bytes, stop) : part.bytes,
  )
  const restore = bench.connector(target).restore(bench.context(abort.signal), source, bench.request())
  await rejectsWith(restore, ['interrupted.sigint', 'restore.incomplete'])
  await bench.leftNothing()
  await keptWhatItPromised(bench, target, old)
  // And the target can be used: the same restore, whole, works.
  if (bench.replaces || bench.factory.capabilities.transactionalRestore)
    await bench.restore(target, partsSource(parts))
}

async function refusesSchemas(bench: ConnectorWorkbench): Promise<void> {
  const { parts, target, old } = await prepared(bench)
  const request = bench.request({ schemas: ['public'] })
  const connector = bench.connector(target)
  await rejectsWith(connector.prepareRestore(bench.context(), partsSource(parts), request), [
    'usage.not-supported',
  ])
  await rejectsWith(connector.restore(bench.context(), partsSource(parts), request), ['usage.not-supported'])
  assert.deepEqual(await contentOf(target), old)
}

async function restoresSchemas(bench: ConnectorWorkbench): Promise<void> {
  const { schema } = bench.fixture.sample
  assert(schema !== undefined, 'the fixture names a schema where the connector claims schemas')
  const { parts, content } = await bench.sampleDump()
  const target = await bench.empty()
  await bench.restore(target, partsSource(parts), { schemas: [schema.name] })
  const all = Object.entries(content.digest)
  assert.deepEqual(
    await target.digest(),
    Object.fromEntries(all.filter(([table]) => schema.tables.includes(table))),
  )
}
