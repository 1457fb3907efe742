import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, open, readdir, rm } from 'node:fs/promises'
import { availableParallelism, homedir, hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Env, TemporaryDirectory } from './env.js'
import { isAlive } from './alive.js'

const temporaryPrefix = 'holdfast-'

/** Folders that live now; removed when the process ends by `process.exit` or an uncaught error. */
const living = new Set<string>()
let exitHandlerInstalled = false

/** The real machine. */
export function nodeEnv(): Env {
  let swept: Promise<void> | undefined
  return {
    clock: { now: () => new Date() },
    randomBytes: (length) => randomBytes(length),
    variables: process.env,
    platform: process.platform,
    hostName: hostname(),
    workingDirectory: process.cwd(),
    homeDirectory: homedir(),
    cores: availableParallelism(),
    async temporaryDirectory() {
      await (swept ??= sweepDead())
      return newTemporaryDirectory()
    },
  }
}

async function newTemporaryDirectory(): Promise<TemporaryDirectory> {
  // mkdtemp makes the folder with mode 0700; the process id in its name lets a later run see that its maker is gone.
  const path = await mkdtemp(join(tmpdir(), `${temporaryPrefix}${process.pid}-`))
  living.add(path)
  if (!exitHandlerInstalled) {
    exitHandlerInstalled = true
    process.once('exit', () => {
      for (const folder of living) rmSync(folder, { recursive: true, force: true })
    })
  }
  return {
    path,
    async writeFile(name, content) {
      const file = join(path, name)
      const handle = await open(file, 'wx', 0o600)
      try {
        await handle.writeFile(content)
      } finally {
        await handle.close()
      }
      return file
    },
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
      living.delete(path)
    },
  }
}

/** Removes the temporary folders of Holdfast processes that were killed. */
async function sweepDead(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => [])
  for (const name of names) {
    const pid = /^holdfast-(\d+)-/.exec(name)?.[1]
    if (pid === undefined || isAlive(Number(pid))) continue
    // Another user's folder cannot be removed, and is none of ours.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined)
  }
}
