import { Readable, Transform } from 'node:stream'
import { z } from 'zod'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { connect } from '../../streams/connect.js'
import type { Retry } from '../retry.js'
import type { ObjectKey } from '../storage.js'
import type { Head } from '../../streams/head.js'
import type { Feeding, Restic } from './program.js'
import { tags } from './snapshots.js'

/** What a snapshot holds that is only there for its tags. */
export const noBytes = Buffer.from('\n')

const summarySchema = z.object({
  message_type: z.literal('summary'),
  total_bytes_processed: z.int().nonnegative(),
})

/** Makes snapshots of what is fed to `restic backup`, each checked against what restic says that it has stored. */
export class Backup {
  readonly #restic: Restic
  readonly #retry: Retry

  constructor(restic: Restic, retry: Retry) {
    this.#restic = restic
    this.#retry = retry
  }

  /** @param own its tags @throws storage.* */
  async snapshot(cx: Context, key: ObjectKey, own: readonly string[], content: Buffer): Promise<void> {
    const doing = doingOf(key)
    await this.#begin(cx, doing, async () => {
      const { stdin, printed } = await this.#restic.feed(cx, argsOf(key, own))
      stdin.on('error', () => undefined)
      stdin.end(content)
      const said = await printed.catch((thrown: unknown) => this.#failed(cx, thrown, doing))
      this.#checkStored(said, content.length, doing)
    })
  }

  /** One snapshot is all where the size is known. restic refuses to store nothing, so an empty object has a byte that is not read. */
  async whole(cx: Context, key: ObjectKey, put: string, content: Buffer): Promise<number> {
    const own = [tags.receipt, tags.data, tags.put(put), tags.bytes(content.length)]
    await this.snapshot(cx, key, own, content.length === 0 ? noBytes : content)
    return content.length
  }

  async long(cx: Context, key: ObjectKey, put: string, head: Head): Promise<number> {
    const doing = doingOf(key)
    const args = argsOf(key, [tags.data, tags.put(put)])
    const { stdin, printed } = await this.#begin(cx, doing, () => this.#begun(cx, doing, args, head.bytes))
    let bytes = head.bytes.length
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        done(null, chunk)
      },
    })
    try {
      await connect([Readable.from(head.rest ?? [], { objectMode: false }), counter, stdin], cx.signal)
    } catch (thrown) {
      await this.#restic.unlock(cx)
      throw this.#restic.error(thrown, doing)
    }
    this.#checkStored(await printed, bytes, doing)
    await this.snapshot(cx, key, [tags.receipt, tags.put(put), tags.bytes(bytes)], noBytes)
    return bytes
  }

  /** A first backup makes the repository. */
  #begin<Result>(cx: Context, doing: string, work: () => Promise<Result>): Promise<Result> {
    return this.#retry.run(cx, `${doing} in ${this.#restic.describe()}`, () => this.#restic.making(cx, work))
  }

  /** A restic that has a lock, and has taken the head. */
  async #begun(cx: Context, doing: string, args: readonly string[], head: Buffer): Promise<Feeding> {
    const { stdin, printed } = await this.#restic.feed(cx, args)
    const ignore = () => undefined
    stdin.on('error', ignore)
    const taken = new Promise<void>((resolve) => {
      stdin.write(head, (error) => {
        if (error === null || error === undefined) resolve()
      })
    })
    try {
      await Promise.race([taken, printed])
    } catch (thrown) {
      return this.#failed(cx, thrown, doing)
    }
    stdin.off('error', ignore)
    return { stdin, printed }
  }

  #checkStored(printed: string, bytes: number, doing: string): void {
    const stored = storedBytes(printed)
    if (stored === bytes) return
    throw new HoldfastError(
      'storage.failed',
      `${doing} in ${this.#restic.describe()}: it holds ${stored ?? 'none'} of ${bytes} bytes`,
      { details: { passing: false } },
    )
  }

  /** What a restic that was ended leaves is its lock. */
  async #failed(cx: Context, thrown: unknown, doing: string): Promise<never> {
    if (cx.signal.aborted) await this.#restic.unlock(cx)
    throw this.#restic.error(thrown, doing)
  }
}

function doingOf(key: ObjectKey): string {
  return `cannot write ${key}`
}

/** `--quiet` leaves the summary. */
function argsOf(key: ObjectKey, own: readonly string[]): readonly string[] {
  const tagged = own.flatMap((tag) => ['--tag', tag])
  return ['backup', '--quiet', '--json', '--stdin', '--stdin-filename', key, '--host', 'holdfast', ...tagged]
}

/** What restic has read and stored, by its summary. */
function storedBytes(printed: string): number | undefined {
  for (const line of printed.trimEnd().split('\n').reverse()) {
    try {
      const summary = summarySchema.safeParse(JSON.parse(line))
      if (summary.success) return summary.data.total_bytes_processed
    } catch {
      // Something else that it prints.
    }
  }
  return undefined
}
