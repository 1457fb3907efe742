import { readdir, readFile, readlink } from 'node:fs/promises'
import type { Context } from '../env/context.js'
import { runTool } from '../process/run.js'

/** Who listens on a port, for people: `nginx (pid 312)`. Undefined where the system does not tell this account. */
export async function portHolder(cx: Context, port: number): Promise<string | undefined> {
  try {
    if (cx.env.platform === 'linux') return await linuxHolder(port)
    if (cx.env.platform === 'win32') return await windowsHolder(cx, port)
    const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc']
    const { stdout } = await runTool(cx, { program: 'lsof', args, timeoutMs: 10_000 })
    const [, pid, name] = /^p(\d+)\nc(.*)$/mu.exec(stdout) ?? []
    return pid === undefined ? undefined : `${name} (pid ${pid})`
  } catch {
    cx.signal.throwIfAborted()
    return undefined
  }
}

/** The kernel names a socket by its inode, and processes have it among their open files. */
async function linuxHolder(port: number): Promise<string | undefined> {
  const inodes = (await Promise.all(['tcp', 'tcp6'].map((table) => listening(table, port)))).flat()
  const wanted = inodes.map((inode) => `socket:[${inode}]`)
  if (wanted.length === 0) return undefined
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/u.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => [])
    for (const file of files) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '')
      if (!wanted.includes(target)) continue
      const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'a process')
      return `${name.trim()} (pid ${pid})`
    }
  }
  return undefined
}

async function listening(table: string, port: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/net/${table}`, 'utf8').catch(() => '')
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const listens = '0A'
  return text.split('\n').flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/u)
    return local?.endsWith(suffix) === true && state === listens && inode !== undefined ? [inode] : []
  })
}

async function windowsHolder(cx: Context, port: number): Promise<string | undefined> {
  const script = `Get-Process -Id (Get-NetTCPConnection -State Listen -LocalPort ${port})[0].OwningProcess | ForEach-Object { "$($_.ProcessName) (pid $($_.Id))" }`
  const args = ['-NoProfile', '-NonInteractive', '-Command', script]
  const { stdout } = await runTool(cx, { program: 'powershell.exe', args, timeoutMs: 20_000 })
  return stdout.trim() || undefined
}
