import type { ConnectorCapabilities, ConnectorFactory, ConnectorSettings } from '../../../engine/connector.js'
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

/** More gain little: the server has to do the rest of the work. Fewer divide badly, since small tables have a run of their own. */
const usualJobs = 4

function jobsOf({ options }: ConnectorSettings): number {
  return options.jobs ?? usualJobs
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
      const jobs = jobsOf(settings)
      const order = parallelOrder(jobs)
      return {
        ...{ name, engine, capabilities },
        inspect: (cx) => inspectDatabase(cx, settings),
        dump: (cx, request) => dumpInParallel(cx, settings, request, { sizes, jobs }),
        prepareRestore: async (cx, source, request) =>
          (await checkTarget(cx, settings, order.defining(source), request)).target,
        restore: (cx, source, request) => runRestore(cx, settings, order, source, request),
      }
    },
  }
}
