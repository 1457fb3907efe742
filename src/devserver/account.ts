import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Account } from '../env/account.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { runTool } from '../process/run.js'

/**
 * The account that a server runs as: servers refuse root. Undefined for an ordinary user, who needs none. For root it is the
 * owner of the folder, or of the project's where the folder is not there yet, or an account of the server's package.
 * @param names of the package; `nobody` comes after them
 */
export async function serverAccount(
  cx: Context,
  folder: string,
  names: readonly string[],
): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const owner = await ownerOf(folder)
  const candidates = [...(owner === 0 ? [] : [String(owner)]), ...names, 'nobody']
  for (const candidate of candidates) {
    const account = await accountNamed(cx, candidate)
    if (account !== undefined) return account
  }
  throw new HoldfastError(
    'devserver.no-access',
    'servers refuse to run as root, and this machine has no account nobody',
    {
      hint: 'run holdfast as an ordinary user',
    },
  )
}

/** Of the folder, or of the nearest one above it that is there. */
async function ownerOf(folder: string): Promise<number> {
  const facts = await stat(folder).catch(() => undefined)
  return facts?.uid ?? ownerOf(dirname(folder))
}

async function accountNamed(cx: Context, name: string): Promise<Account | undefined> {
  try {
    const { stdout } = await runTool(cx, { program: 'id', args: [name] })
    const [, uid, own, gid] = /^uid=(\d+)(?:\((.*?)\))? gid=(\d+)/u.exec(stdout) ?? []
    return uid === undefined ? undefined : { name: own ?? uid, uid: Number(uid), gid: Number(gid) }
  } catch {
    cx.signal.throwIfAborted()
    return undefined
  }
}

/** @throws devserver.no-access, naming the folder on the way that the account may not pass */
export async function requireReach(account: Account, folder: string): Promise<void> {
  const above = dirname(folder)
  if (above !== folder) await requireReach(account, above)
  const { uid, gid, mode } = await stat(folder)
  const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
  if ((mode & bit) !== 0) return
  throw new HoldfastError(
    'devserver.no-access',
    `the server would run as ${account.name}, since servers refuse root, and ${account.name} may not pass ${folder}`,
    { hint: `run holdfast as an ordinary user, or let others pass: chmod o+x '${folder}'` },
  )
}

/** @throws devserver.no-access where the folder belongs to somebody else than the one who is to use it */
export async function requireOwner(account: Account | undefined, folder: string): Promise<void> {
  const wanted = account?.uid ?? process.getuid?.()
  if (wanted === undefined) return
  const { uid } = await stat(folder)
  if (uid === wanted) return
  const who = account === undefined ? '"$(id -u):$(id -g)"' : `${account.uid}:${account.gid}`
  throw new HoldfastError(
    'devserver.no-access',
    `${folder} belongs to ${uid === 0 ? 'root' : `account ${uid}`}, and the server would run as ${account?.name ?? 'this account'}`,
    { hint: `give it back: ${account === undefined ? 'sudo ' : ''}chown -R ${who} '${folder}'` },
  )
}
