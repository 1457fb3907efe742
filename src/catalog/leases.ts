import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { Context } from '../env/context.js'
import { asHoldfastError, HoldfastError } from '../errors.js'
import { objectKey } from '../storages/object-key.js'
import type { ObjectKey, Storage } from '../storages/storage.js'
import { leaseFolder } from './keys.js'
import { putText, readText } from './text-objects.js'

/** What a run does in a storage, so that another one heeds it. */
export interface LeaseWish {
  /** `prune` removes backups, `chain` changes the record of a chain, `backup` makes one, `read` reads some. */
  readonly kind: 'prune' | 'chain' | 'backup' | 'read'
  /** Only these databases are concerned; all of them where absent. */
  readonly databases?: readonly string[] | undefined
  /** Ids of the backups that are made or read. */
  readonly backups: readonly string[]
}

interface LeaseRecord extends LeaseWish {
  readonly formatVersion: 1
  /** Host and process, for people. */
  readonly holder: string
  /** RFC 3339 in UTC, by the holder's clock: for people. */
  readonly started: string
  /** So long after the storage's last change of the object the run counts as dead. */
  readonly ttlMs: number
}

const recordSchema = z.object({
  formatVersion: z.literal(1),
  kind: z.enum(['prune', 'chain', 'backup', 'read']),
  databases: z.array(z.string().max(10_000)).max(100_000).optional(),
  backups: z.array(z.string().max(200)).max(1_000_000),
  holder: z.string().max(1_000),
  started: z.iso.datetime(),
  ttlMs: z.int().positive(),
}) satisfies z.ZodType<LeaseRecord>

const minuteMs = 60_000

export interface LeaseTimes {
  /** A lease that was not renewed for so long is dead. */
  readonly ttlMs: number
  /** How long to wait for one that is in the way. */
  readonly waitMs: number
}

/** Whoever waits outlasts a run that died. */
const usualTimes: LeaseTimes = { ttlMs: 5 * minuteMs, waitMs: 6 * minuteMs }

/**
 * What runs tell each other through a storage. Each writes an object of its own, and only then looks for those of others: of two
 * that begin at once, at least one sees the other. That needs no create-only, which not every service has. Age is told by the
 * storage's clock alone; those of the machines may differ. See `docs/decisions/leases.md`.
 */
export class Leases {
  readonly #storage: Storage
  readonly #times: LeaseTimes

  constructor(storage: Storage, times: Partial<LeaseTimes> = {}) {
    this.#storage = storage
    this.#times = { ...usualTimes, ...times }
  }

  /** Says what this run does. @throws storage.* */
  async hold(cx: Context, wish: LeaseWish): Promise<Lease> {
    const lease = new Lease(this.#storage, cx, wish, this.#times.ttlMs)
    await lease.renew()
    return lease
  }

  /**
   * The only lease of its kind for these databases; waits for another to end.
   * @throws locked.by-another-run, storage.*
   */
  async holdAlone(cx: Context, wish: LeaseWish): Promise<Lease> {
    const deadline = performance.now() + this.#times.waitMs
    for (let waited = false; ; waited = true) {
      const lease = await this.hold(cx, wish)
      const other = await this.#inTheWay(cx, lease, wish.kind).catch(async (error: unknown) => {
        await lease.release()
        throw error
      })
      if (other === undefined) return lease
      // Both may have come at once: whoever sees the other steps back, for a random time.
      await lease.release()
      await this.#pause(cx, other, deadline, waited)
    }
  }

  /**
   * Waits until nobody holds a lease of that kind for these databases.
   * @returns whether somebody did
   * @throws locked.by-another-run, storage.*
   */
  async waitFor(cx: Context, lease: Lease, kind: LeaseWish['kind']): Promise<boolean> {
    const deadline = performance.now() + this.#times.waitMs
    for (let waited = false; ; waited = true) {
      const other = await this.#inTheWay(cx, lease, kind)
      if (other === undefined) return waited
      await this.#pause(cx, other, deadline, waited)
    }
  }

  /** The leases of others that are alive, as the storage's clock tells. @throws storage.* */
  async others(cx: Context, own: Lease): Promise<readonly LeaseWish[]> {
    return this.#living(cx, own)
  }

  /** Removes the leases of runs that died. @throws storage.* */
  async sweep(cx: Context, own: Lease): Promise<void> {
    for (const { key, alive } of await this.#all(cx, own)) if (!alive) await this.#storage.delete(cx, key)
  }

  async #pause(cx: Context, other: LeaseRecord, deadline: number, waited: boolean): Promise<void> {
    if (performance.now() > deadline) throw lockedBy(other)
    if (!waited) {
      const message = `waiting: ${lockedBy(other).message}`
      cx.emit({ type: 'notice', level: 'info', message })
    }
    await pause(randomPauseMs(cx, this.#times), undefined, { signal: cx.signal })
  }

  async #inTheWay(cx: Context, own: Lease, kind: LeaseWish['kind']): Promise<LeaseRecord | undefined> {
    const living = await this.#living(cx, own)
    return living.find((other) => other.kind === kind && overlap(other, own.wish))
  }

  async #living(cx: Context, own: Lease): Promise<readonly LeaseRecord[]> {
    return (await this.#all(cx, own)).flatMap(({ record, alive }) => (alive ? [record] : []))
  }

  async #all(
    cx: Context,
    own: Lease,
  ): Promise<readonly { readonly key: ObjectKey; readonly record: LeaseRecord; readonly alive: boolean }[]> {
    const found: { key: ObjectKey; record: LeaseRecord; alive: boolean }[] = []
    for await (const { key, modified } of this.#storage.list(cx, leaseFolder)) {
      if (key === own.key) continue
      const record = await this.#read(cx, key)
      if (record !== undefined)
        found.push({ key, record, alive: own.storageTime() - modified.getTime() <= record.ttlMs })
    }
    return found
  }

  /** What is no lease, or has gone since the listing, is none. */
  async #read(cx: Context, key: ObjectKey): Promise<LeaseRecord | undefined> {
    try {
      return recordSchema.safeParse(JSON.parse(await readText(cx, this.#storage, key))).data
    } catch (thrown) {
      if (thrown instanceof SyntaxError || asHoldfastError(thrown).code === 'storage.not-found')
        return undefined
      throw thrown
    }
  }
}

/** A lease that this run holds. It renews itself until it is released. */
export class Lease {
  readonly key: ObjectKey
  readonly wish: LeaseWish
  readonly #storage: Storage
  readonly #cx: Context
  readonly #ttlMs: number
  readonly #started: string
  #timer: NodeJS.Timeout | undefined
  #renewing: Promise<void> = Promise.resolve()
  /** The storage's clock and ours, when it was written last. */
  #written = { storageMs: 0, at: 0 }

  constructor(storage: Storage, cx: Context, wish: LeaseWish, ttlMs: number) {
    this.#storage = storage
    // It is released, and renewed until then, also when the run was interrupted.
    this.#cx = { ...cx, signal: new AbortController().signal }
    this.wish = wish
    this.#ttlMs = ttlMs
    this.#started = cx.env.clock.now().toISOString()
    this.key = objectKey(`${leaseFolder}${Buffer.from(cx.env.randomBytes(12)).toString('hex')}.json`)
  }

  /** Writes it, now and every third of its time. @throws storage.* */
  async renew(): Promise<void> {
    await this.#write()
    this.#timer = setInterval(() => {
      // A failure shows in `assertHeld`: the next renewal may succeed in time.
      this.#renewing = this.#write().catch(() => undefined)
    }, this.#ttlMs / 3)
    this.#timer.unref()
  }

  /** The time by the storage's clock, in milliseconds. */
  storageTime(): number {
    return this.#written.storageMs + performance.now() - this.#written.at
  }

  /** @throws locked.by-another-run where it could not be renewed in time: others may take this run for dead */
  assertHeld(): void {
    if (performance.now() - this.#written.at <= this.#ttlMs) return
    throw new HoldfastError(
      'locked.by-another-run',
      'the lease in the storage could not be renewed in time',
      {
        hint: 'check the connection to the storage, and run it again',
      },
    )
  }

  /** Others need not heed it any more. What cannot be removed dies by itself. */
  async release(): Promise<void> {
    clearInterval(this.#timer)
    await this.#renewing
    await this.#storage.delete(this.#cx, this.key).catch(() => undefined)
  }

  async #write(): Promise<void> {
    const at = performance.now()
    const record: LeaseRecord = {
      formatVersion: 1,
      ...this.wish,
      holder: `${this.#cx.env.hostName}, process ${process.pid}`,
      started: this.#started,
      ttlMs: this.#ttlMs,
    }
    const text = `${JSON.stringify(record, undefined, 2)}\n`
    const stored = await putText(this.#cx, this.#storage, this.key, text)
    this.#written = { storageMs: stored.modified.getTime(), at }
  }
}

function overlap(one: LeaseWish, other: LeaseWish): boolean {
  if (one.databases === undefined || other.databases === undefined) return true
  return one.databases.some((name) => other.databases?.includes(name))
}

function randomPauseMs(cx: Context, { waitMs }: LeaseTimes): number {
  const [byte = 0] = cx.env.randomBytes(1)
  return Math.min(waitMs / 4, 2_000) * (0.2 + byte / 320)
}

function lockedBy({ kind, holder, started, ttlMs }: LeaseRecord): HoldfastError {
  const what = {
    prune: 'removes old backups',
    chain: 'changes the chain',
    backup: 'makes a backup',
    read: 'reads',
  }
  return new HoldfastError('locked.by-another-run', `another run ${what[kind]} since ${started}: ${holder}`, {
    hint: `wait for it; if it is dead, it stops counting ${Math.ceil(ttlMs / minuteMs)} minutes after its last sign of life`,
  })
}
