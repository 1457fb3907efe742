import { randomBytes } from 'node:crypto'
import { link, readFile, rm, unlink, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError } from '../errors.js'
import { readRecord, runs } from '../process/background.js'
import { processIdentity } from '../process/identity.js'

const pollMs = 25

/**
 * Runs `work` while nobody else does so with the same lock file: another call waits. What a process that was killed has left does
 * not count.
 * @throws locked.by-another-run when the holder takes longer than `waitMs`
 */
export async function withLock<Result>(
  file: string,
  { signal, waitMs }: { readonly signal: AbortSignal; readonly waitMs: number },
  work: () => Promise<Result>,
): Promise<Result> {
  const until = performance.now() + waitMs
  for (;;) {
    signal.throwIfAborted()
    const token = await tryLock(file)
    if (token !== undefined) {
      try {
        return await work()
      } finally {
        await rm(file, { force: true })
      }
    }
    if (performance.now() > until) {
      const holder = await readRecord(file)
      throw new HoldfastError(
        'locked.by-another-run',
        `process ${holder?.pid ?? 'unknown'} has been at work on this development server for ${Math.round(waitMs / 1000)} s`,
        { details: { lock: file } },
      )
    }
    await delay(pollMs)
  }
}

/** @returns the token of a lock that is now ours; undefined where somebody has it */
async function tryLock(file: string): Promise<string | undefined> {
  const token = randomBytes(8).toString('hex')
  const own = `${file}.${token}`
  // A link appears with its content at once; a file that is made and then written is seen half-made.
  await writeFile(own, `${process.pid}\n${await ownIdentity()}\n${token}\n`, { flag: 'wx', mode: 0o600 })
  try {
    await link(own, file)
    return token
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await unlink(own)
  }
  await removeStale(file)
  return undefined
}

/**
 * Who removes the lock of a dead process needs a lock himself, whose name only this dead lock gives: otherwise two who see it
 * at once could remove each other's new ones.
 */
async function removeStale(file: string): Promise<void> {
  const holder = await readRecord(file)
  if (holder === undefined || (await runs(holder))) return
  const token = tokenOf(await readFile(file, 'utf8').catch(() => ''))
  if (token === undefined) return
  const removal = `${file}.stale-${token}`
  if ((await tryLock(removal)) === undefined) return
  try {
    if (tokenOf(await readFile(file, 'utf8').catch(() => '')) === token) await rm(file, { force: true })
  } finally {
    await rm(removal, { force: true })
  }
}

function tokenOf(text: string): string | undefined {
  return text.split('\n')[2]
}

let identity: Promise<string | undefined> | undefined

async function ownIdentity(): Promise<string> {
  return (await (identity ??= processIdentity(process.pid))) ?? ''
}
