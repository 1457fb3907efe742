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
import { assertDumpable } from '../dumpable.js'
import { openProof, type DumpProof } from '../dump-proof.js'
import { planDump, type DumpPlan } from '../dump-plan.js'
import { dumpStream, type DumpStream } from '../dump-stream.js'
import { mysqlSql } from '../format-sql.js'
import { readGrants } from '../grants.js'
import { readInventory } from '../inventory.js'
import { writeOptionFile } from '../option-file.js'
import { checkTarget } from '../restore-check.js'
import { runRestore } from '../restore-run.js'
import { ServerSession } from '../session.js'
import { dumpCall } from '../tool-calls.js'
import { findTool } from '../tools.js'

const capabilities: ConnectorCapabilities = {
  exclude: true,
  excludeData: true,
  schemas: false,
  // DDL commits at once in both families.
  transactionalRestore: false,
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

/** SQL text by the dump tool of the server's own family, restored through its client; for both engines. */
export function mysqldump(engine: string): ConnectorFactory {
  return {
    name: 'mysqldump',
    engine,
    extension: 'sql',
    capabilities,
    format: mysqlSql,
    create: (settings) => new MysqldumpConnector(engine, settings),
  }
}

class MysqldumpConnector implements Connector {
  readonly name = 'mysqldump'
  readonly engine: string
  readonly capabilities = capabilities
  readonly #settings: ConnectorSettings

  constructor(engine: string, settings: ConnectorSettings) {
    this.engine = engine
    this.#settings = settings
  }

  async inspect(cx: Context): Promise<ConnectorFacts> {
    const session = await ServerSession.open(cx, this.#settings.connection)
    try {
      assertDumpable(session, await readInventory(session), await readGrants(session))
      const tool = await findTool(cx, 'dump', session.identity, this.#settings.tools)
      return { server: await session.facts(), tools: [tool.facts] }
    } finally {
      await session.close()
    }
  }

  async dump(cx: Context, request: DumpRequest): Promise<Dump> {
    if (request.schemas.length > 0) {
      throw new HoldfastError('usage.not-supported', 'databases of MySQL and MariaDB hold no schemas')
    }
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
      const stream = dumpStream(cx, plan.head, calls, {
        begun: () => proof.begin(),
        ...(plan.mend === undefined ? {} : { mend: plan.mend }),
      })
      try {
        yield { name: 'dump', role: 'dump', bytes: stream.bytes }
        const fingerprint = await proof.result()
        tell.ended({
          warnings: saidBy(stream, plan),
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
    return (await checkTarget(cx, this.#settings, source, request)).target
  }

  restore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreFacts> {
    return runRestore(cx, this.#settings, source, request)
  }
}

/** Told as the dump goes on. */
interface DumpTold {
  begun(proof: DumpProof): void
  ended(facts: DumpFacts): void
}

function saidBy(stream: DumpStream, plan: DumpPlan): readonly string[] {
  const longest = stream.longestLine()
  return [
    ...stream.messages,
    ...(longest > plan.maxAllowedPacket
      ? [
          `a row takes ${longest} bytes in the dump: the server it is restored into needs a max_allowed_packet above that`,
        ]
      : []),
  ]
}
