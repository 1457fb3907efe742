import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '../../src/env/alive.js'

/** Short, as the path of a server's socket in it may have some 100 bytes. */
const prefix = 'hf-'
/** The loader of TypeScript keeps what it has compiled. */
const caches = ['jiti']
/** Linux keeps the files here in memory: nothing that is written waits for a disk. */
const inMemory = '/dev/shm'
/** What it must have room for; a run needs about half of it at once. */
const roomBytes = 8 * 1024 ** 3

/**
 * Gives a run, with its servers, a temporary folder of its own, which goes with it, and fails the run where a test has left
 * something there. It is in memory where there is room, unless TMPDIR names another place. What a run that was killed has left,
 * the next one removes.
 */
export async function setup(): Promise<() => Promise<void>> {
  for (const parent of [tmpdir(), inMemory]) await sweep(parent)
  const chosen = process.env['TMPDIR'] !== undefined
  const folder = (chosen ? undefined : await memoryFolder()) ?? (await newFolder(tmpdir()))
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

async function newFolder(parent: string): Promise<string> {
  const folder = await mkdtemp(join(parent, `${prefix}${process.pid}-`))
  // Servers run as another account, and must reach theirs.
  await chmod(folder, 0o711)
  return folder
}

/** Undefined where memory is short, or where the system lets no program be run from there, as in many containers. */
async function memoryFolder(): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(inMemory).catch(() => ({ bavail: 0, bsize: 0 }))
  if (Math.min(bavail * bsize, freemem()) < roomBytes) return undefined
  const folder = await newFolder(inMemory)
  const probe = join(folder, 'probe')
  try {
    await writeFile(probe, '#!/bin/sh\n', { mode: 0o755 })
    execFileSync(probe)
    await rm(probe)
    return folder
  } catch {
    await rm(folder, { recursive: true })
    return undefined
  }
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = new RegExp(`^${prefix}(\\d+)-`, 'u').exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    // Another user's cannot be removed, and is none of ours.
    await rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined)
  }
}
