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
import { isPart } from '../../../engine/restored-part.js'
import type { Context } from '../../../env/context.js'
import { HoldfastError } from '../../../errors.js'
import { feedTool } from '../../../process/run.js'
import { connect } from '../../../streams/connect.js'
import { writeConfigFile } from '../config-file.js'
import { objcheckOf } from '../connection.js'
import { assertNoSchemas, planDump, type DumpPlan } from '../dump-plan.js'
import { dumpStream, leftOut, type DumpStream } from '../dump-stream.js'
import { ArchiveProof } from '../fingerprint.js'
import { mongodbArchive } from '../format-archive.js'
import { driverRestore } from '../driver-restore.js'
import { checkTarget, drops, type CheckedTarget } from '../restore-check.js'
import { countedFeed } from '../restore-feed.js'
import { runRestore, type RestoreProgress } from '../restore-run.js'
import { openArchive } from '../restore-source.js'
import { MongoSession } from '../session.js'
import { dumpCall, restoreCall, withConfigFile } from '../tool-calls.js'
import { restoredCounts, unusualMessages } from '../tool-messages.js'
import { findTool, type Tool } from '../tools.js'
import { unusedSettings } from '../unused-settings.js'

const capabilities: ConnectorCapabilities = {
  exclude: true,
  // mongodump takes a collection whole or not at all.
  excludeData: false,
  schemas: false,
  transactionalRestore: false,
  partialRestore: true,
  fingerprint: true,
  clean: ['none', 'objects', 'database'],
  unused: unusedSettings,
}

/** The archive format, by MongoDB's own mongodump and mongorestore. */
export const mongodump: ConnectorFactory = {
  name: 'mongodump',
  engine: 'mongodb',
  extension: 'archive',
  capabilities,
  format: mongodbArchive,
  create: (settings) => new MongodumpConnector(settings),
}

class MongodumpConnector implements Connector {
  readonly name = 'mongodump'
  readonly engine = 'mongodb'
  readonly capabilities = capabilities
  readonly #settings: ConnectorSettings

  constructor(settings: ConnectorSettings) {
    objcheckOf(settings.connection)
    this.#settings = settings
  }

  async inspect(cx: Context): Promise<ConnectorFacts> {
    const session = await MongoSession.open(cx, this.#settings.connection)
    try {
      const server = await session.facts()
      return { server, tools: [(await findTool(cx, 'mongodump', this.#settings.tools)).facts] }
    } finally {
      await session.close()
    }
  }

  async dump(cx: Context, request: DumpRequest): Promise<Dump> {
    assertNoSchemas(request.schemas)
    if (request.excludeData.length > 0) {
      throw new HoldfastError(
        'usage.not-supported',
        'mongodump cannot leave out the documents of a collection',
        {
          hint: 'use exclude, or the connector mongodb-driver',
        },
      )
    }
    const session = await MongoSession.open(cx, this.#settings.connection)
    let plan: DumpPlan
    try {
      plan = await planDump(session, request)
    } finally {
      await session.close()
    }
    const tool = await findTool(cx, 'mongodump', this.#settings.tools)
    const streams: DumpStream[] = []
    const proof = new ArchiveProof(plan, request.fingerprint)
    return {
      parts: this.#parts(cx, plan, tool, streams, proof),
      facts: () => {
        const fingerprint = proof.result()
        const warnings = [...plan.warnings, ...streams.flatMap(({ messages }) => messages)]
        return Promise.resolve({ warnings, ...(fingerprint === undefined ? {} : { fingerprint }) })
      },
    }
  }

  async *#parts(
    cx: Context,
    plan: DumpPlan,
    tool: Tool,
    streams: DumpStream[],
    proof: ArchiveProof,
  ): AsyncGenerator<DumpPart> {
    const call = (configFile: string) => dumpCall(this.#settings, tool, configFile, leftOut(plan))
    const folder = await cx.env.temporaryDirectory()
    try {
      const configFile = await writeConfigFile(folder, this.#settings.connection)
      const stream = dumpStream(cx, call(configFile), plan, this.#settings.connection.name, proof)
      streams.push(stream)
      try {
        yield { name: 'dump', role: 'dump', bytes: stream.bytes }
      } finally {
        stream.bytes.destroy()
      }
    } finally {
      await folder.remove()
    }
  }

  async prepareRestore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreTarget> {
    const session = await MongoSession.open(cx, this.#settings.connection)
    try {
      // The tools cannot do all of that; the driver can.
      const tool = isPart(request) ? undefined : await findTool(cx, 'mongorestore', this.#settings.tools)
      return (await checkTarget(cx, session, this.#settings, source, request, tool)).target
    } finally {
      await session.close()
    }
  }

  async restore(cx: Context, source: RestoreSource, request: RestoreRequest): Promise<RestoreFacts> {
    if (isPart(request))
      return runRestore(cx, this.#settings, source, request, undefined, (session, checked, progress) =>
        driverRestore(cx, session, this.#settings, source, request, checked, progress),
      )
    const tool = await findTool(cx, 'mongorestore', this.#settings.tools)
    return runRestore(cx, this.#settings, source, request, tool, (_session, checked, progress) =>
      this.#feed(cx, source, request, tool, checked, progress),
    )
  }

  #feed(
    cx: Context,
    source: RestoreSource,
    request: RestoreRequest,
    tool: Tool,
    { archived }: CheckedTarget,
    progress: RestoreProgress,
  ): Promise<readonly string[]> {
    return withConfigFile(cx, this.#settings, async (configFile) => {
      const stream = await openArchive(source, cx.signal)
      const feed = countedFeed(archived, () => (progress.changed = true))
      const call = restoreCall(this.#settings, tool, configFile, {
        from: archived.name,
        drop: drops(this.#settings, request),
      })
      const input = feedTool(cx, call)
      await connect([stream, feed.through, input.stdin], cx.signal)
      const { messages } = await input.finished
      const counts = restoredCounts(messages)
      if (counts?.failed !== 0 || counts.restored !== feed.documents()) {
        throw new HoldfastError(
          'tool.failed',
          `mongorestore has restored ${counts?.restored ?? 'an unknown number'} of ${feed.documents()} documents`,
          { details: { messages: unusualMessages(messages) } },
        )
      }
      return unusualMessages(messages)
    })
  }
}
