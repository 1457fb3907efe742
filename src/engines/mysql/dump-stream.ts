import { Transform, type Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Context } from '../../env/context.js'
import { readTool } from '../../process/run.js'
import type { ToolCall } from '../../process/tool.js'
import type { ChunkPool } from '../../streams/chunk-pool.js'
import { mysqlSql } from './format-sql.js'
import type { LineHeads } from './line-heads.js'

const newline = 0x0a

export interface DumpStreamOptions {
  /** Called when the last call has dumped something, or has ended well: it has opened its snapshot then. */
  readonly begun?: () => void
  /** What is to be changed in what the tool writes. */
  readonly mend?: LineHeads | undefined
  /** Of `gatheredChunks`, where several dumps go on at once. */
  readonly pool?: ChunkPool
}

export interface DumpStream {
  /** Ends cleanly only when every run has ended with status 0 and the last has written its trailer. */
  readonly bytes: Readable
  /** What the tool said on stderr. */
  readonly messages: readonly string[]
  /** In bytes, of those lines that no chunk could hold: a row of that length has to be restored. */
  longestLine(): number
}

/** Runs the calls one after the other and gives their outputs as one dump, after a first line of ours. */
export function dumpStream(
  cx: Context,
  head: string,
  calls: readonly ToolCall[],
  { begun = () => undefined, mend, pool }: DumpStreamOptions = {},
): DumpStream {
  const messages: string[] = []
  const checker = mysqlSql.checker()
  const lines = new LongLines()
  const bytes = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      checker.push(chunk)
      lines.push(chunk)
      if (mend === undefined) this.push(chunk)
      else for (const piece of mend.push(chunk)) this.push(piece)
      done()
    },
    flush(done) {
      try {
        checker.end()
        for (const piece of mend?.end() ?? []) this.push(piece)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
  // An error may come before anybody has begun to read; whoever begins then is told.
  bytes.on('error', () => undefined)
  bytes.write(Buffer.from(head))
  pour(cx, calls, { into: bytes, messages, begun, pool }).catch((error: Error) => bytes.destroy(error))
  return { bytes, messages, longestLine: () => lines.longest }
}

interface Pouring {
  readonly into: Transform
  readonly messages: string[]
  readonly begun: () => void
  readonly pool: ChunkPool | undefined
}

async function pour(
  cx: Context,
  calls: readonly ToolCall[],
  { into, messages, begun, pool }: Pouring,
): Promise<void> {
  for (const call of calls) {
    if (into.destroyed) return
    const last = call === calls.at(-1)
    const tool = readTool(cx, call, last ? whenDumping(begun) : undefined, pool)
    if (last) tool.finished.then(begun, () => undefined)
    // Whoever stops reading ends the tool.
    const stop = () => tool.stdout.destroy()
    into.once('close', stop)
    tool.stdout.pipe(into, { end: false })
    await finished(tool.stdout, { writable: false })
    into.off('close', stop)
    messages.push(...(await tool.finished).messages)
  }
  into.end()
}

/** The tools write a head, and settings of the session, before they open their snapshot. */
function whenDumping(begun: () => void): (data: Uint8Array) => void {
  const statement = /^(?:CREATE|DROP|INSERT|LOCK)\b|^\/\*!\d+ (?:CREATE|DROP|ALTER)\b/mu
  let waiting = true
  return (data) => {
    if (!waiting || !statement.test(Buffer.from(data.subarray(0, 65_536)).toString('latin1'))) return
    waiting = false
    begun()
  }
}

/**
 * Looks for lines longer than a chunk of the tool's output, a megabyte, which is also the least a server can be set to take:
 * only the first and the last newline of each chunk count, so it costs nothing.
 */
class LongLines {
  longest = 0
  #open = 0

  push(chunk: Buffer): void {
    const first = chunk.indexOf(newline)
    if (first < 0) {
      this.#open += chunk.length
      this.longest = Math.max(this.longest, this.#open)
      return
    }
    this.longest = Math.max(this.longest, this.#open + first)
    this.#open = chunk.length - chunk.lastIndexOf(newline) - 1
  }
}

/** What the tool said, and what a restore will need. */
export function saidBy(
  streams: readonly DumpStream[],
  { maxAllowedPacket }: { readonly maxAllowedPacket: number },
): readonly string[] {
  const longest = Math.max(...streams.map((stream) => stream.longestLine()))
  const messages = new Set(streams.flatMap((stream) => stream.messages))
  return [
    ...messages,
    ...(longest > maxAllowedPacket
      ? [
          `a row takes ${longest} bytes in the dump: the server it is restored into needs a max_allowed_packet above that`,
        ]
      : []),
  ]
}
