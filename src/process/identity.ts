import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { isAlive } from '../env/alive.js'

/**
 * What tells a process from a later one that was given the same number: when it was started. Undefined for a process that has
 * ended, also where nobody has asked yet how it ended.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!isAlive(pid)) return undefined
  if (process.platform === 'linux') return linuxIdentity(pid)
  if (process.platform === 'win32') return windowsIdentity(pid)
  const said = await lineOf('ps', ['-o', 'stat=,lstart=', '-p', String(pid)])
  const [, state, started] = /^(\S+)\s+(.*)$/u.exec(said) ?? []
  return started === undefined || state?.startsWith('Z') === true ? undefined : started
}

/** In ticks since the machine was started, and which start of the machine that was. */
async function linuxIdentity(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The program's name, in brackets, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, ticks] = [fields[0], fields[19]]
    if (state === undefined || 'ZX'.includes(state)) return undefined
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()}:${ticks}`
  } catch {
    return undefined
  }
}

async function windowsIdentity(pid: number): Promise<string | undefined> {
  const script = `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`
  const said = await lineOf('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', script])
  return said === '' ? undefined : said
}

function lineOf(program: string, args: readonly string[]): Promise<string> {
  // The words of `ps` for a date are the system's language otherwise.
  const plain = process.platform === 'win32' ? {} : { env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' } }
  return new Promise((resolve) => {
    execFile(program, [...args], { ...plain, windowsHide: true }, (error, stdout) =>
      resolve(error === null ? stdout.trim() : ''),
    )
  })
}

/**
 * For `sh`: writes the process's number and {@link processIdentity} into the file named first, in one write, and becomes the program
 * named after it. So there is no moment in which the program runs and the file does not say so.
 */
export const recordedStart = `
field22() { shift 21; started=$boot:$1; }
if [ -r /proc/$$/stat ]; then
  read -r stat </proc/$$/stat
  read -r boot </proc/sys/kernel/random/boot_id
  field22 $stat
else
  started=$(LC_ALL=C ps -o lstart= -p $$)
fi
printf '%s\\n%s\\n' "$$" "$started" >"$0" && exec "$@"
`
