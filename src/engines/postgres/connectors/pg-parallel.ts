import type { ConnectorCapabilities, ConnectorFactory, ConnectorSettings } from '../../../engine/connector.js'
import type { Context } from '../../../env/context.js'
import { ofMongodbAlone } from '../../mongodb-settings.js'
import { archive } from '../archive-connector.js'
import { inspectDatabase } from '../dump.js'
import { parallelFormat } from '../format-parallel.js'
import { usualSizes, type PieceSizes } from '../large-tables.js'
import { dumpInParallel } from '../parallel-dump.js'
import { parallelRestore } from '../parallel-restore.js'
import { prepareRestore, restoreDatabase } from '../restore.js'
import { engineName } from '../url.js'

const capabilities: ConnectorCapabilities = {
  exclude: true,
  excludeData: true,
  schemas: true,
  fingerprint: true,
  transactionalRestore: false,
  restoresBeside: true,
  partialRestore: true,
  parallel: true,
  severalParts: true,
  clean: ['none', 'objects', 'database'],
  unused: { ...ofMongodbAlone, singleTransaction: 'several connections are several transactions' },
}

/** More gain little: the server has to do the rest of the work. */
const mostUsualJobs = 4

/** As many connections as there are cores, unless `jobs` says otherwise. */
function jobsOf(cx: Context, { options }: ConnectorSettings): number {
  return options.jobs ?? Math.min(mostUsualJobs, Math.max(2, cx.env.cores))
}

/** pg_dump for everything but the rows of large tables, which connections of our own read and write in pieces. */
export const pgParallel = parallelConnector(usualSizes)

export function parallelConnector(sizes: PieceSizes): ConnectorFactory {
  const name = 'pg-parallel'
  const restore = parallelRestore(jobsOf)
  return {
    name,
    engine: engineName,
    extension: 'parallel',
    capabilities,
    format: parallelFormat,
    create: (settings) => ({
      name,
      engine: engineName,
      capabilities,
      inspect: (cx, wanted) => inspectDatabase(cx, settings, archive, wanted),
      dump: (cx, request) =>
        dumpInParallel(cx, settings, request, { format: archive, sizes, jobs: jobsOf(cx, settings) }),
      prepareRestore: (cx, source, request) => prepareRestore(cx, restore, settings, source, request),
      restore: (cx, source, request) => restoreDatabase(cx, restore, settings, source, request),
    }),
  }
}
