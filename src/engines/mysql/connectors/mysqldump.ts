import type {
  Connector,
  ConnectorCapabilities,
  ConnectorFacts,
  ConnectorFactory,
  ConnectorSettings,
  Dump,
  DumpedRows,
  DumpFacts,
  DumpPart,
  DumpRequest,
  RestoreFacts,
  RestoreRequest,
  RestoreSource,
  RestoreTarget,
} from '../../../engine/connector.js'
import { unused } from '../../../engine/unused-settings.js'
import type { Context } from '../../../env/context.js'
import { HoldfastError } from '../../../errors.js'
import { ofMongodbAlone } from '../../mongodb-settings.js'
import { inspectDatabase } from '../dumpable.js'
import { openProof, type DumpProof } from '../dump-proof.js'
import { planDump, type DumpPlan } from '../dump-plan.js'
import { dumpStream, saidBy } from '../dump-stream.js'
import { mysqlSql } from '../format-sql.js'
import { writeOptionFile } from '../option-file.js'
import { checkTarget } from '../restore-check.js'
import { runRestore, type RestoreOrder } from '../restore-run.js'
import { ServerSession } from '../session.js'
import { dumpCall } from '../tool-calls.js'

export const mysqldumpCapabilities: ConnectorCapabilities = {
  exclude: true,
  excludeData: true,
  schemas: false,
  // DDL commits at once in both families.
  transactionalRestore: false,
  partialRestore: true,
  fingerprint: true,
  restoresBeside: true,
  clean: ['none', 'objects', 'database'],
  unused: {
    ...unused(['adminUser', 'adminPassword'], 'it runs no privileged statements'),
    ...unused(['noOwner', 'noPrivileges'], 'its dumps hold neither owners nor privileges'),
    ifExists: 'its dumps say it always',
    psqlCommand: 'it runs no psql',
    ...ofMongodbAlone,
  },
}

const onePart: RestoreOrder = {
  defining(source) {
    if (source.parts.length === 1) return source
    throw new HoldfastError('integrity.format', 'a dump of MySQL or MariaDB has one part')
  },
  rest: () => Promise.resolve([]),
}

/** SQL text by the dump tool of the server's own family, restored through its client; for both engines. */
export function mysqldump(engine: string): ConnectorFactory {
  return {
    name: 'mysqldump',
    engine,
    extension: 'sql',
    capabilities: mysqldumpCapabilities,
    format: mysqlSql,
    create: (settings) => new MysqldumpConnector(engine, settings),
  }
}

class MysqldumpConnector implements Connector {
  readonly name = 'mysqldump'
  readonly engine: string
  readonly capabilities = mysqldumpCapabilities
  readonly #settings: ConnectorSettings

  constructor(engine: string, settings: ConnectorSettings) {
    this.engine = engine
    this.#settings = settings
  }

  inspect(cx: Context): Promise<ConnectorFacts> {
    return inspectDatabase(cx, this.#settings)
  }

  async dump(cx: Context, request: DumpRequest): Promise<Dump> {
    const session = await ServerSession.open(cx, this.#settings.connection)
    let plan: DumpPlan
    try {
      plan = await planDump(cx, session, this.#settings, request)
    } finally {
      await session.close()
    }
    let facts: DumpFacts = { warnings: plan.warnings }
    let rows = (): DumpedRows => ({})
    const parts = this.#parts(cx, plan, {
      begun(proof) {
        rows = () => proof.rows()
      },
      ended(told) {
        facts = { ...told, warnings: [...plan.warnings, ...told.warnings] }
      },
    })
    return { parts, facts: () => Promise.resolve(facts), rows: () => rows() }
  }

  async *#parts(cx: Context, plan: DumpPlan, tell: DumpTold): AsyncGenerator<DumpPart> {
    const folder = await cx.env.temporaryDirectory()
    try {
      const optionFile = await writeOptionFile(cx.env, folder, this.#settings.connection, plan.tool.family)
      const calls = plan.runs.map((args) => dumpCall(this.#settings, plan.tool, optionFile, args))
      const proof = await openProof(cx, this.#settings, plan.proof)
      tell.begun(proof)
      const stream = dumpStream(cx, plan.head, calls, { begun: () => proof.begin(), mend: plan.mend() })
      try {
        yield { name: 'dump', role: 'dump', bytes: stream.bytes }
        const fingerprint = await proof.result()
        tell.ended({
          warnings: saidBy([stream], plan),
          ...(fingerprint === undefined ? {} : { fingerprint }),
        })
      } finally {
        stream.bytes.destroy()
        await proof.close()
      }
    } finally {
      await folder.remove()
    }
  }

  async prepareRestore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreTarget> {
    return (await checkTarget(cx, this.#settings, onePart.defining(source), request)).target
  }

  restore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreFacts> {
    return runRestore(cx, this.#settings, onePart, source, request)
  }
}

/** Told as the dump goes on. */
interface DumpTold {
  begun(proof: DumpProof): void
  ended(facts: DumpFacts): void
}
