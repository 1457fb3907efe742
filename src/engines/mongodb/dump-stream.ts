import { Transform, type Readable } from 'node:stream'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { readTool } from '../../process/run.js'
import type { ToolCall } from '../../process/tool.js'
import { dataName } from './archive.js'
import { ArchiveParser } from './archive-parser.js'
import { unfinishedMark } from './collections.js'
import type { ArchiveProof } from './fingerprint.js'
import type { DumpPlan } from './dump-plan.js'
import { dumpedCounts, unusualMessages } from './tool-messages.js'

export interface DumpStream {
  /** Ends cleanly only when mongodump ended with status 0, the archive is whole, and holds what mongodump counted. */
  readonly bytes: Readable
  /** What mongodump said, and what is not in the archive. */
  readonly messages: readonly string[]
}

/** Runs mongodump and looks at what it writes. */
export function dumpStream(
  cx: Context,
  call: ToolCall,
  plan: DumpPlan,
  database: string,
  proof: ArchiveProof,
): DumpStream {
  const messages: string[] = []
  const counts = new Map<string, number>()
  const missing = new Set(plan.collections.map(({ name }) => name))
  const parser = new ArchiveParser({
    prelude: ({ collections }) => {
      for (const { name } of collections) missing.delete(name)
    },
    documents: ({ collection }, { bytes: piece }) => proof.piece(collection.name, piece),
    collectionEnd: ({ collection, documents }) => {
      counts.set(dataName(collection), documents)
      proof.counted(collection.name, documents)
    },
  })
  const tool = readTool(cx, call)
  const bytes = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        parser.push(chunk)
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done) {
      tool.finished
        .then((report) => {
          parser.end()
          assertCounts(counts, dumpedCounts(report.messages, database))
          messages.push(...unusualMessages(report.messages))
          if (missing.size > 0)
            messages.push(`dropped while the dump went on, and not in it: ${[...missing].join(', ')}`)
        })
        .then(() => done(), done)
    },
  })
  // An error may come before anybody has begun to read; whoever begins then is told.
  bytes.on('error', () => undefined)
  bytes.once('close', () => tool.stdout.destroy())
  tool.stdout.once('error', (error) => bytes.destroy(error))
  tool.stdout.pipe(bytes)
  return { bytes, messages }
}

/** @throws integrity.format */
function assertCounts(found: ReadonlyMap<string, number>, said: ReadonlyMap<string, number>): void {
  for (const [name, count] of said) {
    if (found.get(name) === count) continue
    throw new HoldfastError(
      'integrity.format',
      `mongodump has read ${count} documents of ${name}, and the archive holds ${found.get(name) ?? 'none'}`,
    )
  }
}

/** What mongodump is told to leave out. */
export function leftOut({ excluded }: DumpPlan): readonly string[] {
  return [...excluded, unfinishedMark]
}
