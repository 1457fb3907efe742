import { strict as assert } from 'node:assert'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from '../env/context.js'
import type { Env } from '../env/env.js'
import type {
  Connector,
  ConnectorFactory,
  Dump,
  DumpPart,
  DumpRequest,
  RestorePart,
  RestoreRequest,
  RestoreSource,
} from '../engine/connector.js'
import { HoldfastError, type ErrorCode } from '../errors.js'
import type { ConnectorFixture, ContractDatabase, PartBytes } from './connector-fixture.js'
import { plainTools } from './plain-tools.js'

export interface ReadPart extends RestorePart {
  readonly bytes: Buffer
}

/** A dump request that leaves nothing out. */
export function dumpRequest(changes: Partial<DumpRequest> = {}): DumpRequest {
  return { exclude: [], excludeData: [], schemas: [], allowMissing: false, ...changes }
}

/** A restore request into what is there. */
export function restoreRequest(changes: Partial<RestoreRequest> = {}): RestoreRequest {
  return { clean: 'objects', create: false, disconnect: false, schemas: [], ...changes }
}

/** A backup of one part named `dump`. */
export function restoreSource(bytes: PartBytes): RestoreSource {
  return sourceOf(
    [{ name: 'dump', role: 'dump', ...(Buffer.isBuffer(bytes) ? { plainBytes: bytes.length } : {}) }],
    () => bytes,
  )
}

/** A backup of the parts of a dump. `change` may give other bytes for a part. */
export function partsSource(
  parts: readonly ReadPart[],
  change: (part: ReadPart) => PartBytes = (part) => part.bytes,
): RestoreSource {
  const byName = new Map(parts.map((part) => [part.name, part]))
  const described = parts.map(({ name, role, table, bytes }) => ({
    name,
    role,
    plainBytes: bytes.length,
    ...(table === undefined ? {} : { table }),
  }))
  return sourceOf(described, (asked) => {
    const part = byName.get(asked.name)
    assert(part !== undefined, `the connector asked for a part that is not there: ${asked.name}`)
    return change(part)
  })
}

function sourceOf(parts: readonly RestorePart[], bytesOf: (part: RestorePart) => PartBytes): RestoreSource {
  return {
    parts,
    open(part) {
      const bytes = bytesOf(part)
      return Promise.resolve(Buffer.isBuffer(bytes) ? inChunks(bytes) : bytes())
    },
  }
}

/** As they come from a storage: in pieces of 64 KiB, which are the reader's own. */
export function inChunks(bytes: Buffer): Readable {
  return Readable.from(
    (function* () {
      for (let start = 0; start < bytes.length; start += 65_536)
        yield Buffer.from(bytes.subarray(start, start + 65_536))
    })(),
    { objectMode: false },
  )
}

/** The first half of some bytes, then an error. */
export function breaking(bytes: Buffer, error: Error): Readable {
  return Readable.from(
    (async function* () {
      yield* inChunks(bytes.subarray(0, Math.ceil(bytes.length / 2)))
      throw error
    })(),
    { objectMode: false },
  )
}

/** The first half of some bytes, then nothing until the signal aborts. */
export function stalling(bytes: Buffer, onStall: () => void): Readable {
  const chunks = inChunks(bytes.subarray(0, Math.ceil(bytes.length / 2)))[Symbol.asyncIterator]()
  return new Readable({
    read() {
      void chunks.next().then(({ value, done }) => {
        if (done === true) onStall()
        else this.push(value)
      })
    },
  })
}

export async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

async function readPart(part: DumpPart): Promise<ReadPart> {
  const bytes = await readAll(part.bytes)
  return {
    name: part.name,
    role: part.role,
    bytes,
    plainBytes: bytes.length,
    ...(part.table === undefined ? {} : { table: part.table }),
  }
}

export async function readDump(dump: Dump): Promise<readonly ReadPart[]> {
  const parts: ReadPart[] = []
  for await (const part of dump.parts) parts.push(await readPart(part))
  await dump.facts()
  return parts
}

/** Rejects unless the promise rejects with one of the codes; gives the error. */
export async function rejectsWith(
  promise: Promise<unknown>,
  codes: readonly (ErrorCode | `${string}.*`)[],
): Promise<HoldfastError> {
  const error = await promise.then(
    () => assert.fail(`succeeded, where ${codes.join(' or ')} was expected`),
    (thrown: unknown) => thrown,
  )
  if (error instanceof assert.AssertionError) throw error
  assert(error instanceof HoldfastError, `an error without a code: ${String(error)}`)
  const matches = codes.some(
    (code) => code === error.code || (code.endsWith('.*') && error.code.startsWith(code.slice(0, -1))),
  )
  if (!matches) assert.fail(`${error.code} (${error.message}), where ${codes.join(' or ')} was expected`)
  return error
}

/** Waits until something holds. @throws the last failure when it does not within the time */
export async function eventually(check: () => void | Promise<void>, withinMs = 10_000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await pause(20)
    }
  }
}

/** What is in a database: its rows and its definitions. */
export interface Content {
  readonly digest: Readonly<Record<string, string>>
  readonly schema: string
}

export async function contentOf(database: ContractDatabase): Promise<Content> {
  return { digest: await database.digest(), schema: await database.schemaText() }
}

/** The fixture's sample as the connector dumps it, and what it holds. */
export interface SampleDump {
  readonly parts: readonly ReadPart[]
  readonly content: Content
  readonly schemaHash: string
}

/** A function that dumps the sample once for all the checks of a suite, at the first that asks; its database is gone by then. */
export function sampleDumper(fixture: ConnectorFixture): () => Promise<SampleDump> {
  let made: Promise<SampleDump> | undefined
  return () => (made ??= dumpSample(fixture))
}

async function dumpSample(fixture: ConnectorFixture): Promise<SampleDump> {
  const bench = new ConnectorWorkbench(fixture)
  try {
    const database = await bench.filled()
    return {
      parts: await bench.dump(database),
      content: await contentOf(database),
      schemaHash: await bench.schemaHash(database),
    }
  } finally {
    await bench.dropDatabases()
  }
}

/** The fixture at work: databases that are dropped at the end, and a look at what a connector leaves behind. */
export class ConnectorWorkbench {
  readonly sampleDump: () => Promise<SampleDump>
  readonly #fixture: ConnectorFixture
  readonly #databases: ContractDatabase[] = []
  readonly #temporary = new Set<string>()
  readonly #programsBefore = runningPrograms()

  constructor(fixture: ConnectorFixture, sampleDump = sampleDumper(fixture)) {
    this.#fixture = fixture
    this.sampleDump = sampleDump
  }

  get factory(): ConnectorFactory {
    return this.#fixture.factory
  }

  get fixture(): ConnectorFixture {
    return this.#fixture
  }

  context(signal?: AbortSignal): Context {
    const cx = this.#fixture.context(signal)
    const env: Env = {
      ...cx.env,
      temporaryDirectory: async () => {
        const folder = await cx.env.temporaryDirectory()
        this.#temporary.add(folder.path)
        return {
          path: folder.path,
          writeFile: (name, content) => folder.writeFile(name, content),
          remove: async () => {
            await folder.remove()
            this.#temporary.delete(folder.path)
          },
        }
      },
    }
    return { ...cx, env }
  }

  async empty(): Promise<ContractDatabase> {
    return this.#keep(await this.#fixture.createDatabase())
  }

  async filled(): Promise<ContractDatabase> {
    const database = await this.empty()
    await this.#fixture.fill(database)
    return database
  }

  async missing(): Promise<ContractDatabase> {
    return this.#keep(await this.#fixture.missingDatabase())
  }

  #keep(database: ContractDatabase): ContractDatabase {
    this.#databases.push(database)
    return database
  }

  connector({ connection }: ContractDatabase): Connector {
    return this.factory.create({
      connection,
      engine: this.#fixture.engine,
      tools: plainTools,
      options: {},
      ...this.#fixture.settings?.(connection),
    })
  }

  async dump(database: ContractDatabase, changes: Partial<DumpRequest> = {}): Promise<readonly ReadPart[]> {
    return readDump(await this.connector(database).dump(this.context(), dumpRequest(changes)))
  }

  async schemaHash(database: ContractDatabase): Promise<string> {
    const { schemaHash } = (await this.connector(database).inspect(this.context())).server
    assert(schemaHash !== undefined, 'inspect tells the schema hash, unless a dump is to do so')
    return schemaHash
  }

  async restore(
    database: ContractDatabase,
    source: RestoreSource,
    changes: Partial<RestoreRequest> = {},
  ): Promise<void> {
    await this.connector(database).restore(this.context(), source, this.request(changes))
  }

  /** Whether the connector replaces what is there; one that does not restores into empty databases alone. */
  get replaces(): boolean {
    return this.factory.capabilities.clean.includes('objects')
  }

  /** A restore request of the kind that the connector is made for. */
  request(changes: Partial<RestoreRequest> = {}): RestoreRequest {
    return restoreRequest({ clean: this.replaces ? 'objects' : 'none', ...changes })
  }

  /** A dump with these settings, restored into a fresh database. */
  async roundTrip(database: ContractDatabase, changes: Partial<DumpRequest> = {}): Promise<ContractDatabase> {
    const target = await this.empty()
    await this.restore(target, partsSource(await this.dump(database, changes)))
    return target
  }

  /** Nothing is left of what the connector made: temporary folders, programs. */
  async leftNothing(): Promise<void> {
    await eventually(() => {
      assert.deepEqual([...this.#temporary], [], 'temporary folders were left behind')
      assert(runningPrograms() <= this.#programsBefore, 'a program still runs')
    })
  }

  async dropDatabases(): Promise<void> {
    for (const database of this.#databases) await database.drop()
  }
}

/** Children of this process that Node waits for. */
function runningPrograms(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap').length
}
