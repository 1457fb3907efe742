import type {
  Connector,
  ConnectorCapabilities,
  ConnectorFacts,
  ConnectorFactory,
  ConnectorSettings,
  Dump,
  DumpPart,
  DumpRequest,
  RestoreFacts,
  RestoreRequest,
  RestoreSource,
  RestoreTarget,
} from '../../../engine/connector.js'
import type { Context } from '../../../env/context.js'
import { driverDump } from '../driver-dump.js'
import { driverRestore } from '../driver-restore.js'
import { assertNoSchemas, planDump, type DumpPlan } from '../dump-plan.js'
import { ArchiveProof } from '../fingerprint.js'
import { mongodbArchive } from '../format-archive.js'
import { checkTarget } from '../restore-check.js'
import { runRestore } from '../restore-run.js'
import { MongoSession } from '../session.js'
import { unusedByDriver } from '../unused-settings.js'

const capabilities: ConnectorCapabilities = {
  exclude: true,
  excludeData: true,
  schemas: false,
  transactionalRestore: false,
  partialRestore: true,
  fingerprint: true,
  clean: ['none', 'objects', 'database'],
  unused: unusedByDriver,
}

/** The archive format of mongodump, by the official driver alone: for machines without the tools. */
export const mongodbDriver: ConnectorFactory = {
  name: 'mongodb-driver',
  engine: 'mongodb',
  extension: 'archive',
  capabilities,
  format: mongodbArchive,
  create: (settings) => new MongodbDriverConnector(settings),
}

class MongodbDriverConnector implements Connector {
  readonly name = 'mongodb-driver'
  readonly engine = 'mongodb'
  readonly capabilities = capabilities
  readonly #settings: ConnectorSettings

  constructor(settings: ConnectorSettings) {
    this.#settings = settings
  }

  async inspect(cx: Context): Promise<ConnectorFacts> {
    return this.#asking(cx, async (session) => ({ server: await session.facts(), tools: [] }))
  }

  async dump(cx: Context, request: DumpRequest): Promise<Dump> {
    assertNoSchemas(request.schemas)
    const plan = await this.#asking(cx, (session) => planDump(session, request))
    const proof = new ArchiveProof(plan, request.fingerprint)
    return {
      parts: this.#parts(cx, plan, proof),
      facts: () => {
        const fingerprint = proof.result()
        return Promise.resolve({
          warnings: plan.warnings,
          ...(fingerprint === undefined ? {} : { fingerprint }),
        })
      },
    }
  }

  async *#parts(cx: Context, plan: DumpPlan, proof: ArchiveProof): AsyncGenerator<DumpPart> {
    const session = await MongoSession.open(cx, this.#settings.connection)
    try {
      const bytes = driverDump(session, plan, proof)
      // An error may come before anybody has begun to read; whoever begins then is told.
      bytes.on('error', () => undefined)
      try {
        yield { name: 'dump', role: 'dump', bytes }
      } finally {
        bytes.destroy()
      }
    } finally {
      await session.close()
    }
  }

  prepareRestore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreTarget> {
    return this.#asking(
      cx,
      async (session) => (await checkTarget(cx, session, this.#settings, source, request, undefined)).target,
    )
  }

  restore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreFacts> {
    return runRestore(cx, this.#settings, source, request, undefined, (session, checked, progress) =>
      driverRestore(cx, session, this.#settings, source, request, checked, progress),
    )
  }

  async #asking<Result>(cx: Context, work: (session: MongoSession) => Promise<Result>): Promise<Result> {
    const session = await MongoSession.open(cx, this.#settings.connection)
    try {
      return await work(session)
    } finally {
      await session.close()
    }
  }
}
