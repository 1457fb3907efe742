import type { RestorePart, RestoreSource } from '../../engine/connector.js'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { doAll } from '../work-queue.js'
import type { Product } from './identity.js'
import { postDataPart, schemaPart } from './parallel-dump.js'
import type { RestoreOrder, RestorePartly } from './restore-run.js'

/**
 * Of a session that writes rows. The tool writes this for definitions alone. Not for MariaDB, which then locks an empty table as a
 * whole for the first rows in it, so that others with rows of the same table wait.
 */
const variablesOf = (product: Product) => (product === 'MySQL' ? 'unique_checks = 0' : undefined)

/** First the definitions, then the rows by several clients, last what acts on rows. */
export function parallelOrder(jobsOf: (cx: Context) => number): RestoreOrder {
  return {
    defining(source) {
      const parts = [schemaPart, postDataPart].map((name) => partOf(source, name))
      return { parts, open: (part) => source.open(part) }
    },
    async rest(cx, restore) {
      const said = await restorePieces(cx, restore, jobsOf(cx))
      return [...said, ...(await restore.part(cx, partOf(restore.source, postDataPart)))]
    },
  }
}

async function restorePieces(cx: Context, restore: RestorePartly, jobs: number): Promise<readonly string[]> {
  const pieces = restore.source.parts.filter(
    (part) => part.role === 'data' && restore.chosen?.keepsRowsOf(part) !== false,
  )
  const variables = variablesOf(restore.server.product)
  const said: string[] = []
  await doAll(cx, jobs, {
    // The largest first, so that what is left for the end is small.
    tasks: pieces.toSorted((a, b) => (b.plainBytes ?? 0) - (a.plainBytes ?? 0)),
    worker: (signal) =>
      Promise.resolve({
        async take(piece: RestorePart) {
          said.push(...(await restore.part({ ...cx, signal }, piece, variables)))
          return []
        },
        close: () => Promise.resolve(),
      }),
  })
  return said
}

function partOf({ parts }: RestoreSource, wanted: string): RestorePart {
  const part = parts.find(({ name }) => name === wanted)
  if (part !== undefined) return part
  throw new HoldfastError('integrity.missing-artifact', `the backup has no part ${wanted}`)
}
