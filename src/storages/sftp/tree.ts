import type { Readable, Writable } from 'node:stream'
import type { SFTPWrapper, Stats } from 'ssh2'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { clipRange } from '../byte-range.js'
import { localFile } from '../local-file.js'
import { linkRefused } from '../local/paths.js'
import type { ByteRange } from '../storage.js'
import { foldersOf, isNotFound, type FileTree, type NamedEntry, type TreeEntry } from '../tree/tree.js'
import { SftpConnection } from './connection.js'
import { status, statusOf } from './errors.js'
import { readHandle } from './read.js'
import type { SftpSettings } from './settings.js'
import { isUnsupported, writeHandle, type Room } from './write.js'

type Done = (error?: Error | null) => void

/** Files of mode 0600 in folders of mode 0700 on a server, over one connection that is opened when it is needed. */
export class SftpTree implements FileTree {
  readonly #settings: SftpSettings
  readonly #baseDirectory: string
  readonly #root: string
  #connection: Promise<SftpConnection> | undefined

  /** @param baseDirectory what files of this machine are relative to, such as a key */
  constructor(settings: SftpSettings, baseDirectory: string) {
    this.#settings = settings
    this.#baseDirectory = baseDirectory
    // A login begins in the home folder, which is what a relative path is relative to.
    this.#root = settings.path.replace(/^~(?:\/|$)/u, '').replace(/(?<=.)\/+$/u, '')
  }

  describe(): string {
    const { user, host, port, path } = this.#settings
    const place = `${user === undefined ? '' : `${user}@`}${host}${port === 22 ? '' : `:${port}`}`
    return `sftp ${place}${path.startsWith('/') ? '' : '/~/'}${path.replace(/^~\/?/u, '')}`
  }

  async look(cx: Context, path: string): Promise<TreeEntry | undefined> {
    const doing = `cannot look at ${path} in ${this.describe()}`
    const on = await this.#connected(cx)
    // All at once: a symbolic link on the way could lead anywhere, so none is followed. The root itself may be one.
    const inside = path === '' ? [] : [...foldersOf(path), path]
    const found = await Promise.allSettled([
      on.ask<Stats>(doing, (sftp, answer) => sftp.stat(this.#full(''), answer), cx.signal),
      ...inside.map((each) =>
        on.ask<Stats>(doing, (sftp, answer) => sftp.lstat(this.#full(each), answer), cx.signal),
      ),
    ])
    let last: Stats | undefined
    for (const [index, each] of found.entries()) {
      if (each.status === 'rejected') {
        if (isNotFound(each.reason)) return undefined
        throw each.reason
      }
      last = each.value
      if (last.isSymbolicLink()) throw linkRefused(this.#full(inside[index - 1] ?? ''))
      if (index < inside.length && !last.isDirectory()) return undefined
    }
    return last === undefined ? undefined : entryOf(last)
  }

  async list(cx: Context, folder: string): Promise<readonly NamedEntry[] | undefined> {
    const doing = `cannot list ${this.describe()}`
    if ((await this.look(cx, folder))?.kind !== 'folder') return undefined
    const on = await this.#connected(cx)
    const list = (sftp: SFTPWrapper, answer: (error: Error | undefined, list: Listed[]) => void) =>
      sftp.readdir(this.#full(folder), answer)
    const listed = await on.ask<Listed[]>(doing, list, cx.signal).catch((error: unknown) => {
      if (isNotFound(error)) return undefined
      throw error
    })
    const entries: NamedEntry[] = []
    for (const { filename: name, attrs } of listed ?? []) {
      if (attrs.isSymbolicLink()) await this.#refuseFolderLink(cx, folder === '' ? name : `${folder}/${name}`)
      const entry = entryOf(attrs)
      if (entry !== undefined) entries.push({ name, ...entry })
    }
    return listed === undefined ? undefined : entries
  }

  async #refuseFolderLink(cx: Context, path: string): Promise<void> {
    const full = this.#full(path)
    const on = await this.#connected(cx)
    const target = await on
      .ask<Stats>(`cannot look at ${full}`, (sftp, answer) => sftp.stat(full, answer), cx.signal)
      // A link that leads nowhere hides nothing.
      .catch(() => undefined)
    if (target?.isDirectory() === true) throw linkRefused(full)
  }

  async read(cx: Context, path: string, range?: ByteRange): Promise<Readable> {
    const doing = `cannot read ${path} in ${this.describe()}`
    if ((await this.look(cx, path))?.kind !== 'file')
      throw new HoldfastError('storage.not-found', `${doing}: there is no such file`)
    const on = await this.#connected(cx)
    const handle = await on.ask<Buffer>(doing, (sftp, answer) => sftp.open(this.#full(path), 'r', answer))
    try {
      const { size } = await on.ask<Stats>(doing, (sftp, answer) => sftp.fstat(handle, answer), cx.signal)
      return readHandle(on, handle, clipRange(range, size), doing)
    } catch (error) {
      await on.ask<void>(doing, (sftp, answer) => sftp.close(handle, voiced(answer))).catch(() => undefined)
      throw error
    }
  }

  async write(cx: Context, path: string): Promise<Writable> {
    const doing = `cannot write in ${this.describe()}`
    const on = await this.#connected(cx)
    // Not given up on an interruption: a file that the server has opened must be closed again.
    const handle = await on.ask<Buffer>(doing, (sftp, answer) =>
      sftp.open(this.#full(path), 'wx', { mode: 0o600 }, answer),
    )
    return writeHandle(on, handle, doing)
  }

  async makeRoot(cx: Context): Promise<void> {
    const there = await this.look(cx, '')
    if (there === undefined) await this.#makeWithParents(cx, this.#full(''))
  }

  async #makeWithParents(cx: Context, path: string): Promise<void> {
    try {
      await this.#mkdir(cx, path)
    } catch (error) {
      const slash = path.lastIndexOf('/')
      if (!isNotFound(error) || slash <= 0) throw error
      await this.#makeWithParents(cx, path.slice(0, slash))
      await this.#mkdir(cx, path)
    }
  }

  async makeFolder(cx: Context, path: string): Promise<boolean> {
    if (await this.#mkdir(cx, this.#full(path))) return true
    // A link has that name, perhaps.
    await this.look(cx, path)
    return false
  }

  /** False where the name is taken. */
  async #mkdir(cx: Context, full: string): Promise<boolean> {
    const doing = `cannot make the folder ${full} in ${this.describe()}`
    const on = await this.#connected(cx)
    try {
      await on.ask<void>(doing, (sftp, answer) => sftp.mkdir(full, { mode: 0o700 }, voiced(answer)))
      return true
    } catch (error) {
      // A name that is taken is a mere failure in this protocol.
      if (!isFailure(error)) throw error
      const taken = await on
        .ask<Stats>(doing, (sftp, answer) => sftp.lstat(full, answer))
        .catch(() => undefined)
      if (taken === undefined) throw error
      return false
    }
  }

  async replace(cx: Context, from: string, to: string): Promise<void> {
    const doing = `cannot give ${to} its name in ${this.describe()}`
    // A link at the name would be replaced, one on the way followed.
    if ((await this.look(cx, to))?.kind === 'folder')
      throw new HoldfastError('storage.exists', `${doing}: it is a folder`)
    const on = await this.#connected(cx)
    const names = [this.#full(from), this.#full(to)] as const
    try {
      await on.ask<void>(doing, (sftp, answer) => sftp.ext_openssh_rename(...names, voiced(answer)))
    } catch (error) {
      if (!isUnsupported(error)) throw error
      await this.#replaceInTwoSteps(cx, on, names, doing)
    }
  }

  /** The rename of the protocol itself refuses a name that is taken. */
  async #replaceInTwoSteps(
    cx: Context,
    on: SftpConnection,
    [from, to]: readonly [string, string],
    doing: string,
  ): Promise<void> {
    const rename = () =>
      on.ask<void>(doing, (sftp, answer) => sftp.rename(from, to, voiced(answer)), cx.signal)
    await rename().catch(async (error: unknown) => {
      if (!isFailure(error)) throw error
      await on.ask<void>(doing, (sftp, answer) => sftp.unlink(to, voiced(answer)))
      await rename()
    })
  }

  async create(cx: Context, from: string, to: string): Promise<'created' | 'exists' | undefined> {
    const doing = `cannot give ${to} its name in ${this.describe()}`
    // A link on the way would be followed.
    if ((await this.look(cx, to)) !== undefined) return 'exists'
    const on = await this.#connected(cx)
    try {
      await on.ask<void>(doing, (sftp, answer) =>
        sftp.ext_openssh_hardlink(this.#full(from), this.#full(to), voiced(answer)),
      )
    } catch (error) {
      if (isNotFound(error)) throw error
      // The name was taken meanwhile; or the server, or its file system, has no hard links.
      return (await this.look(cx, to)) === undefined ? undefined : 'exists'
    }
    // The object has its name; its first name, should it stay, is swept later.
    await this.remove(cx, from).catch(() => undefined)
    return 'created'
  }

  async freeBytes(cx: Context): Promise<number | undefined> {
    const on = await this.#connected(cx)
    const ask = on.ask<Room>(
      `cannot look at ${this.describe()}`,
      (sftp, answer) => sftp.ext_openssh_statvfs(this.#full(''), answer),
      cx.signal,
    )
    const room = await ask.catch((error: unknown) => {
      if (isUnsupported(error)) return undefined
      throw error
    })
    return room === undefined ? undefined : room.f_bavail * room.f_frsize
  }

  remove(cx: Context, path: string): Promise<boolean> {
    return this.#removed(cx, path, (sftp, full, done) => sftp.unlink(full, done))
  }

  async removeFolder(cx: Context, path: string): Promise<boolean> {
    return this.#removed(cx, path, (sftp, full, done) => sftp.rmdir(full, done)).catch((error: unknown) => {
      // Not empty is a mere failure in this protocol.
      if (isFailure(error)) return false
      throw error
    })
  }

  async #removed(
    cx: Context,
    path: string,
    request: (sftp: SFTPWrapper, full: string, done: Done) => void,
  ): Promise<boolean> {
    const doing = `cannot delete ${path} in ${this.describe()}`
    if ((await this.look(cx, path)) === undefined) return false
    const on = await this.#connected(cx)
    try {
      await on.ask<void>(doing, (sftp, answer) => request(sftp, this.#full(path), voiced(answer)), cx.signal)
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  async close(): Promise<void> {
    const opened = await this.#connection?.catch(() => undefined)
    this.#connection = undefined
    opened?.close()
  }

  #full(path: string): string {
    if (path === '') return this.#root === '' ? '.' : this.#root
    return this.#root === '' ? path : `${this.#root === '/' ? '' : this.#root}/${path}`
  }

  #login(cx: Context): SftpSettings {
    const { privateKeyFile, knownHosts } = this.#settings
    const file = (path: string | undefined) =>
      path === undefined ? undefined : localFile(cx, path, this.#baseDirectory)
    return { ...this.#settings, privateKeyFile: file(privateKeyFile), knownHosts: file(knownHosts) }
  }

  async #connected(cx: Context): Promise<SftpConnection> {
    cx.signal.throwIfAborted()
    const before = this.#connection
    if (
      before !== undefined &&
      !(await before.then(
        (each) => each.isLost,
        () => true,
      ))
    )
      return before
    // Another caller may have begun a new one meanwhile.
    if (this.#connection === before) this.#connection = SftpConnection.open(cx, this.#login(cx))
    return this.#connection as Promise<SftpConnection>
  }
}

interface Listed {
  readonly filename: string
  readonly attrs: Stats
}

function voiced(answer: (error: Error | null | undefined, value: void) => void): Done {
  return (error) => answer(error, undefined)
}

function isFailure(thrown: unknown): boolean {
  return thrown instanceof Error && statusOf(thrown.cause) === status.failure
}

/** Sockets, pipes and devices are no objects. */
function entryOf(stats: Stats): TreeEntry | undefined {
  const modified = new Date(stats.mtime * 1000)
  if (stats.isDirectory()) return { kind: 'folder', bytes: 0, modified }
  return stats.isFile() ? { kind: 'file', bytes: stats.size, modified } : undefined
}
