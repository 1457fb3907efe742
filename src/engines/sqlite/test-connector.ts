import { once } from 'node:events'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import type { Context } from '../../env/context.js'
import type {
  Connector,
  DumpRequest,
  RestoreFacts,
  RestoreRequest,
  RestoreSource,
} from '../../engine/connector.js'
import { sqliteEngine } from './engine.js'
import { TestDatabase, testContext } from './test-database.js'
import { plainTools } from '../../testing/plain-tools.js'

export type ConnectorName = 'sqlite-backup' | 'sqlite-dump' | 'sqlite-copy'
export const connectorNames: readonly ConnectorName[] = ['sqlite-backup', 'sqlite-dump', 'sqlite-copy']

export function connectorOf(name: ConnectorName, { connection }: TestDatabase): Connector {
  const factory = sqliteEngine.connectors[name]
  if (factory === undefined) throw new TypeError(name)
  return factory.create({ connection, tools: plainTools, options: {} })
}

export async function dump(
  name: ConnectorName,
  database: TestDatabase,
  request: Partial<DumpRequest> = {},
  cx: Context = testContext(),
): Promise<{ bytes: Buffer; warnings: readonly string[] }> {
  const whole = { exclude: [], excludeData: [], schemas: [], allowMissing: false, ...request }
  const made = await connectorOf(name, database).dump(cx, whole)
  const chunks: Buffer[] = []
  for await (const part of made.parts) for await (const chunk of part.bytes) chunks.push(chunk as Buffer)
  return { bytes: Buffer.concat(chunks), warnings: (await made.facts()).warnings }
}

export async function restore(
  name: ConnectorName,
  database: TestDatabase,
  bytes: Buffer | string,
  request: Partial<RestoreRequest> = {},
  origin: Origin = 'backup',
): Promise<RestoreFacts> {
  const whole = { clean: 'objects' as const, create: false, disconnect: false, schemas: [], ...request }
  return connectorOf(name, database).restore(testContext(), sourceOf(Buffer.from(bytes), origin), whole)
}

/** A backup has a manifest; of a file from elsewhere nothing is known. */
export type Origin = 'backup' | 'elsewhere'

export function sourceOf(bytes: Buffer, origin: Origin = 'backup'): RestoreSource {
  const known = origin === 'backup' ? { plainBytes: bytes.length } : {}
  return {
    parts: [{ name: 'dump', role: 'dump', ...known }],
    open: () => Promise.resolve(Readable.from([bytes], { objectMode: false })),
  }
}

export async function roundTrip(name: ConnectorName, database: TestDatabase): Promise<TestDatabase> {
  const restored = new TestDatabase()
  await restore(name, restored, (await dump(name, database)).bytes, { create: true })
  return restored
}

/** Another process at work on a database, ended with its standard input. */
export interface Neighbour {
  /** What it has said so far, a line each. */
  readonly lines: readonly string[]
  /** Waits for a line. */
  readonly heard: (line: string) => Promise<void>
  /** Lets it end by itself, and fails where it did not end well. */
  end(): Promise<void>
  kill(): Promise<void>
}

/**
 * Runs code in a process of its own with `DatabaseSync`, `path`, `say(line)`, and `open`, which turns false when it is to end.
 * It is killed after a minute.
 */
export async function neighbour(database: TestDatabase, code: string): Promise<Neighbour> {
  const driver = createRequire(import.meta.url).resolve('@photostructure/sqlite')
  const program = `
    const { DatabaseSync } = require(${JSON.stringify(driver)})
    const path = ${JSON.stringify(database.path)}
    const say = (line) => process.stdout.write(line + '\\n')
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
    let open = true
    process.stdin.on('end', () => (open = false)).resume()
    setTimeout(() => process.exit(9), 60_000).unref()
    void (async () => { ${code} })()`
  // Tests may start what they like; the rule for src is that programs are started in process/run.ts.
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, ['-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  const waiting = new Map<string, () => void>()
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const line of parts) {
      lines.push(line)
      waiting.get(line)?.()
    }
  })
  const closed = once(child, 'close') as Promise<[number | null]>
  const result: Neighbour = {
    lines,
    heard: (line) =>
      lines.includes(line)
        ? Promise.resolve()
        : Promise.race([
            new Promise<void>((resolve) => waiting.set(line, resolve)),
            closed.then(() => Promise.reject(new Error(`the neighbour ended without ${line}`))),
          ]),
    async end() {
      child.stdin.end()
      const [status] = await closed
      if (status !== 0) throw new Error(`the neighbour ended with status ${status}`)
    },
    async kill() {
      child.kill('SIGKILL')
      await closed
    },
  }
  await result.heard('ready')
  return result
}
