import type { ConnectorCapabilities, ConnectorFactory, ConnectorSettings } from '../../../engine/connector.js'
import type { Context } from '../../../env/context.js'
import { inspectDatabase } from '../dumpable.js'
import { parallelFormat } from '../format-parallel.js'
import { dumpInParallel } from '../parallel-dump.js'
import { parallelOrder } from '../parallel-restore.js'
import { usualSizes, type PieceSizes } from '../pieces.js'
import { checkTarget } from '../restore-check.js'
import { runRestore } from '../restore-run.js'
import { mysqldumpCapabilities } from './mysqldump.js'

const name = 'mysql-parallel'

const capabilities: ConnectorCapabilities = {
  ...mysqldumpCapabilities,
  parallel: true,
  severalParts: true,
  unused: {
    ...mysqldumpCapabilities.unused,
    singleTransaction: 'each run of the dump tool is a transaction, and all see one moment',
  },
}

/** More gain little: the server has to do the rest of the work. */
const mostUsualJobs = 4
/** Fewer divide badly, since small tables have a run of their own. */
const leastDumpJobs = 3

/** As many runs or clients as there are cores, unless `jobs` says otherwise. */
function jobsOf(cx: Context, { options }: ConnectorSettings, least: number): number {
  return options.jobs ?? Math.min(mostUsualJobs, Math.max(least, cx.env.cores))
}

/** Several runs of the dump tool of the server's own family at one moment, restored through several clients; for both engines. */
export function mysqlParallel(engine: string, sizes: PieceSizes = usualSizes): ConnectorFactory {
  return {
    name,
    engine,
    extension: 'parallel',
    capabilities,
    format: parallelFormat,
    create(settings) {
      const order = parallelOrder((cx) => jobsOf(cx, settings, 2))
      return {
        ...{ name, engine, capabilities },
        inspect: (cx) => inspectDatabase(cx, settings),
        dump: (cx, request) =>
          dumpInParallel(cx, settings, request, { sizes, jobs: jobsOf(cx, settings, leastDumpJobs) }),
        prepareRestore: async (cx, source, request) =>
          (await checkTarget(cx, settings, order.defining(source), request, source)).target,
        restore: (cx, source, request) => runRestore(cx, settings, order, source, request),
      }
    },
  }
}
