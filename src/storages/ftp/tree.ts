import { Readable, type Writable } from 'node:stream'
import type { Client } from 'basic-ftp'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { clipRange } from '../byte-range.js'
import type { ByteRange } from '../storage.js'
import { foldersOf, isNotFound, type FileTree, type NamedEntry, type TreeEntry } from '../tree/tree.js'
import { FtpConnections } from './connections.js'
import { entryOfFacts, entryOfInfo } from './entry.js'
import { ftpError, isRefusal, saysTaken } from './errors.js'
import { receive } from './receive.js'
import { send } from './send.js'
import type { FtpSettings } from './settings.js'

/** Files in folders on a server that speaks FTP, with MLST and MLSD (RFC 3659). */
export class FtpTree implements FileTree {
  readonly #connections: FtpConnections
  /** Absolute, or relative to the folder that a login begins in. */
  readonly #root: string

  constructor(settings: FtpSettings, baseDirectory: string) {
    this.#connections = new FtpConnections(settings, baseDirectory)
    this.#root = settings.path.replace(/^~(?:\/|$)/u, '').replace(/(?<=.)\/+$/u, '')
  }

  describe(): string {
    return `ftp ${this.#connections.place}${this.#root.startsWith('/') ? '' : '/~/'}${this.#root}`
  }

  async look(cx: Context, path: string): Promise<TreeEntry | undefined> {
    return this.#ask(cx, `cannot look at ${path}`, async (client) => {
      let entry: TreeEntry | undefined
      // A link on the way could lead anywhere, so none is followed. The root itself may be one.
      for (const each of path === '' ? [''] : [...foldersOf(path), path]) {
        const full = this.#full(each)
        entry = entryOfFacts((await client.send(`MLST ${full}`)).message, full)
        if (each !== path && entry?.kind !== 'folder') return undefined
      }
      return entry
    }).catch(absent)
  }

  async list(cx: Context, folder: string): Promise<readonly NamedEntry[] | undefined> {
    // Of what is no folder some list nothing, some the file itself.
    if ((await this.look(cx, folder))?.kind !== 'folder') return undefined
    const full = this.#full(folder)
    const listed = await this.#ask(cx, 'cannot list', (client) => client.list(full)).catch(absent)
    return listed?.flatMap((info) => entryOfInfo(info, full))
  }

  async read(cx: Context, path: string, range?: ByteRange): Promise<Readable> {
    const entry = await this.look(cx, path)
    if (entry?.kind !== 'file') throw this.#missing(path)
    const { start, end } = clipRange(range, entry.bytes)
    if (start >= end) return Readable.from([])
    const client = await this.#connections.take(cx)
    const doing = `cannot read ${path} in ${this.describe()}`
    const wanted = { path: this.#full(path), start, end, toEnd: end === entry.bytes, doing }
    return receive(client, wanted, () => this.#connections.give(client))
  }

  async write(cx: Context, path: string): Promise<Writable> {
    // Asked first: a refusal may end the data connection before it is heard of.
    const parent = parentOf(path)
    if ((await this.look(cx, parent))?.kind !== 'folder') throw this.#missing(parent)
    const client = await this.#connections.take(cx)
    const stop = () => client.close()
    cx.signal.addEventListener('abort', stop, { once: true })
    try {
      const doing = `cannot write in ${this.describe()}`
      return await send(client, this.#full(path), doing, () => this.#connections.give(client))
    } catch (thrown) {
      cx.signal.throwIfAborted()
      throw thrown
    } finally {
      cx.signal.removeEventListener('abort', stop)
    }
  }

  async makeRoot(cx: Context): Promise<void> {
    if (this.#root === '' || (await this.look(cx, '')) !== undefined) return
    const folders = [...foldersOf(this.#root), this.#root].filter((folder) => folder !== '')
    for (const folder of folders) {
      // What lies above may be there, and none of ours.
      const made = this.#make(cx, folder)
      if (folder === this.#root) await made
      else await made.catch(() => undefined)
    }
  }

  async makeFolder(cx: Context, path: string): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#make(cx, this.#full(path))
        return true
      } catch (error) {
        if (saysTaken(error)) return false
        // One number stands for a name that is taken and for whatever else cannot be done.
        if (!isRefusal(error)) throw error
        if ((await this.look(cx, path)) !== undefined) return false
        const explained = await this.#explained(cx, path, error)
        // It may have been there, and gone before the look.
        if (explained !== error || attempt === 3) throw explained
      }
    }
  }

  #make(cx: Context, full: string): Promise<unknown> {
    return this.#ask(cx, `cannot make the folder ${full}`, (client) => client.send(`MKD ${full}`))
  }

  async replace(cx: Context, from: string, to: string): Promise<void> {
    const doing = `cannot give ${to} its name`
    if ((await this.look(cx, to))?.kind === 'folder')
      throw new HoldfastError('storage.exists', `${doing} in ${this.describe()}: it is a folder`)
    try {
      await this.#ask(cx, doing, (client) => client.rename(this.#full(from), this.#full(to)))
    } catch (error) {
      throw await this.#explained(cx, to, error)
    }
  }

  /** The error; or that the folder it needs is not there, which not every server says. */
  async #explained(cx: Context, path: string, error: unknown): Promise<unknown> {
    if (!isRefusal(error)) return error
    const parent = parentOf(path)
    return (await this.look(cx, parent)) === undefined ? this.#missing(parent) : error
  }

  async remove(cx: Context, path: string): Promise<boolean> {
    if ((await this.look(cx, path))?.kind !== 'file') return false
    return this.#removed(cx, `DELE ${this.#full(path)}`, path)
  }

  async removeFolder(cx: Context, path: string): Promise<boolean> {
    return this.#removed(cx, `RMD ${this.#full(path)}`, path).catch((error: unknown) => {
      if (isRefusal(error)) return false
      throw error
    })
  }

  async #removed(cx: Context, command: string, path: string): Promise<boolean> {
    const done = await this.#ask(cx, `cannot delete ${path}`, (client) => client.send(command)).catch(absent)
    return done !== undefined
  }

  close(): Promise<void> {
    this.#connections.close()
    return Promise.resolve()
  }

  #missing(path: string): HoldfastError {
    return new HoldfastError('storage.not-found', `${path} is not in ${this.describe()}`)
  }

  async #ask<Answer>(cx: Context, doing: string, work: (client: Client) => Promise<Answer>): Promise<Answer> {
    const client = await this.#connections.take(cx)
    const stop = () => client.close()
    cx.signal.addEventListener('abort', stop, { once: true })
    try {
      return await work(client)
    } catch (thrown) {
      cx.signal.throwIfAborted()
      throw ftpError(thrown, `${doing} in ${this.describe()}`)
    } finally {
      cx.signal.removeEventListener('abort', stop)
      this.#connections.give(client)
    }
  }

  #full(path: string): string {
    if (this.#root === '') return `./${path}`
    return path === '' ? this.#root : `${this.#root === '/' ? '' : this.#root}/${path}`
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/** Where nothing is. */
function absent(thrown: unknown): undefined {
  if (isNotFound(thrown)) return undefined
  throw thrown
}
