import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '../../src/env/alive.js'

/** Short, as the path of a server's socket in it may have some 100 bytes. */
const prefix = 'hf-'
/** The loader of TypeScript keeps what it has compiled. */
const caches = ['jiti']

/**
 * Gives a run a temporary folder of its own, which goes with it, and fails the run where a test has left something there.
 * What a run that was killed has left, the next one removes.
 */
export async function setup(): Promise<() => Promise<void>> {
  await sweep()
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
  // Servers of a test's own run as another account, and must reach theirs.
  await chmod(folder, 0o711)
  const variables = process.platform === 'win32' ? ['TEMP', 'TMP'] : ['TMPDIR']
  for (const name of variables) process.env[name] = folder
  return async () => {
    const left = (await readdir(folder)).filter((name) => !caches.includes(name))
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    if (left.length === 0) return
    // An error here is printed, and would not fail the run by itself.
    process.exitCode = 1
    throw new Error(`tests have left in the temporary folder: ${left.sort().join(', ')}`)
  }
}

async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${prefix}(\\d+)-`, 'u').exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    // Another user's cannot be removed, and is none of ours.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined)
  }
}
