import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { PassThrough, Readable, type Writable } from 'node:stream'
import { AuthType, createClient, type FileStat, type WebDAVClient } from 'webdav'
import type { Context } from '../../env/context.js'
import { HoldfastError } from '../../errors.js'
import { trusted } from '../ca-file.js'
import { clipRange } from '../byte-range.js'
import { partialFolder } from '../local/paths.js'
import { remoteError } from '../remote-errors.js'
import type { ByteRange } from '../storage.js'
import { sending } from '../tree/sending.js'
import type { FileTree, NamedEntry, TreeEntry } from '../tree/tree.js'
import type { WebdavSettings } from './settings.js'

/** How long a request may go without a word from the server. */
const silenceMs = 60_000

/** Files in the collections of a WebDAV server (RFC 4918). */
export class WebdavTree implements FileTree {
  readonly #client: WebDAVClient
  readonly #agent: HttpAgent
  readonly #place: URL
  /** Path of the root on the server, decoded, without a slash at its end. */
  readonly #root: string

  constructor(settings: WebdavSettings, baseDirectory: string) {
    this.#place = new URL(settings.url)
    this.#root = decodeURIComponent(this.#place.pathname).replace(/\/+$/u, '')
    const secure = this.#place.protocol === 'https:'
    const options = { keepAlive: true, timeout: silenceMs }
    this.#agent = secure
      ? new HttpsAgent({ ...options, ...trusted(settings.ca, baseDirectory) })
      : new HttpAgent(options)
    this.#client = createClient(this.#place.origin, {
      ...loginOf(settings),
      ...(secure ? { httpsAgent: this.#agent } : { httpAgent: this.#agent }),
    })
  }

  describe(): string {
    return `webdav ${this.#place.host}${this.#root}`
  }

  async look(cx: Context, path: string): Promise<TreeEntry | undefined> {
    const stat = await this.#ask(cx, `cannot look at ${path}`, (options) =>
      this.#client.stat(this.#full(path), options),
    ).catch(async (thrown: unknown) => {
      // Below a file there is nothing; Apache calls such a path a bad request.
      if (statusOf(thrown) !== 400 || path === '') return absent(thrown)
      if ((await this.look(cx, parentOf(path)))?.kind === 'folder') throw thrown
      return undefined
    })
    return stat === undefined ? undefined : entryOf(stat as FileStat)
  }

  async list(cx: Context, folder: string): Promise<readonly NamedEntry[] | undefined> {
    // What is no collection answers with itself.
    if ((await this.look(cx, folder))?.kind !== 'folder') return undefined
    const listed = await this.#ask(cx, 'cannot list', (options) =>
      this.#client.getDirectoryContents(`${this.#full(folder)}/`, options),
    ).catch(absent)
    return (listed as readonly FileStat[] | undefined)?.map((stat) => ({
      name: stat.basename,
      ...entryOf(stat),
    }))
  }

  async read(cx: Context, path: string, range?: ByteRange): Promise<Readable> {
    const entry = await this.look(cx, path)
    if (entry?.kind !== 'file')
      throw new HoldfastError('storage.not-found', `${path} is not in ${this.describe()}`)
    const { start, end } = clipRange(range, entry.bytes)
    if (start >= end) return Readable.from([])
    const whole = start === 0 && end === entry.bytes
    const doing = `cannot read ${path}`
    const headers = whole ? {} : { Range: `bytes=${start}-${end - 1}` }
    const response = await this.#request(cx, doing, path, { method: 'GET', headers })
    if (!whole && response.status !== 206)
      throw new HoldfastError('storage.failed', `${doing} in ${this.describe()}: the server gives no ranges`)
    return counted((response as unknown as { readonly body: Readable }).body, end - start, (thrown) =>
      remoteError({ thrown, doing: `${doing} in ${this.describe()}` }),
    )
  }

  write(cx: Context, path: string): Promise<Writable> {
    const send = async (body: Readable) => {
      try {
        const headers = { 'Content-Type': 'application/octet-stream' }
        await this.#request(cx, 'cannot write', path, { method: 'PUT', headers, data: body })
      } catch (thrown) {
        // Some say of a folder that is not there that it conflicts.
        throw statusOf(thrown) === 409 ? notFound(thrown) : thrown
      }
    }
    // A server tells only after the last byte that there is no such folder.
    return this.look(cx, parentOf(path)).then((folder) => {
      if (folder?.kind !== 'folder')
        throw new HoldfastError('storage.not-found', `${parentOf(path)} is not in ${this.describe()}`)
      return sending(send)
    })
  }

  async makeRoot(cx: Context): Promise<void> {
    if ((await this.look(cx, '')) !== undefined) return
    const segments = this.#root.split('/').slice(1)
    for (let depth = 1; depth <= segments.length; depth++)
      await this.#makeCollection(cx, `/${segments.slice(0, depth).join('/')}`).catch((error: unknown) => {
        // What lies above may be none of ours.
        if (depth === segments.length) throw error
      })
  }

  makeFolder(cx: Context, path: string): Promise<boolean> {
    return this.#makeCollection(cx, this.#full(path))
  }

  async #makeCollection(cx: Context, full: string): Promise<boolean> {
    try {
      await this.#ask(cx, `cannot make the folder ${full}`, (options) =>
        this.#client.createDirectory(full, options),
      )
      return true
    } catch (thrown) {
      // RFC 4918, 9.3.1: 405 where the name is taken, 409 where the folder it belongs in is not there.
      const status = statusOf(thrown)
      if (status === 405) return false
      if (status === 409) throw notFound(thrown)
      // Apache forbids it, too, where another request has made the folder this very moment.
      if (status !== undefined && (await this.#isCollection(cx, full))) return false
      throw thrown
    }
  }

  async #isCollection(cx: Context, full: string): Promise<boolean> {
    const stat = await this.#ask(cx, `cannot look at ${full}`, (options) =>
      this.#client.stat(full, options),
    ).catch(absent)
    return (stat as FileStat | undefined)?.type === 'directory'
  }

  async replace(cx: Context, from: string, to: string): Promise<void> {
    const doing = `cannot give ${to} its name`
    const [there, folder] = await Promise.all([this.look(cx, to), this.look(cx, parentOf(to))])
    // RFC 4918, 9.9.4, wants 409 for it; Apache says 500.
    if (folder?.kind !== 'folder')
      throw new HoldfastError('storage.not-found', `${parentOf(to)} is not in ${this.describe()}`)
    // The server would remove a folder of that name, and all in it.
    if (there?.kind === 'folder')
      throw new HoldfastError('storage.exists', `${doing} in ${this.describe()}: it is a folder`)
    await this.#ask(cx, doing, (options) =>
      this.#client.moveFile(this.#full(from), this.#full(to), { ...options, overwrite: true }),
    )
  }

  async remove(cx: Context, path: string): Promise<boolean> {
    // Of a folder the server would remove all.
    if ((await this.look(cx, path))?.kind !== 'file') return false
    return this.#delete(cx, path)
  }

  /**
   * Only of ours, which hold nothing: the protocol removes a folder with all in it, also what somebody has put there this very moment.
   * So the folders of objects stay when they are empty.
   */
  async removeFolder(cx: Context, path: string): Promise<boolean> {
    if (!path.startsWith(`${partialFolder}/`) || (await this.look(cx, path))?.kind !== 'folder') return false
    return this.#delete(cx, path)
  }

  async #delete(cx: Context, path: string): Promise<boolean> {
    const gone = await this.#ask(cx, `cannot delete ${path}`, async (options) => {
      await this.#client.deleteFile(this.#full(path), options)
      return true
    }).catch(absent)
    return gone === true
  }

  close(): Promise<void> {
    this.#agent.destroy()
    return Promise.resolve()
  }

  #request(
    cx: Context,
    doing: string,
    path: string,
    request: Parameters<WebDAVClient['customRequest']>[1],
  ): ReturnType<WebDAVClient['customRequest']> {
    return this.#ask(cx, `${doing} ${path}`, (options) =>
      this.#client.customRequest(this.#full(path), { ...request, ...options }),
    )
  }

  async #ask<Answer>(
    cx: Context,
    doing: string,
    request: (options: { readonly signal: AbortSignal }) => Promise<Answer>,
  ): Promise<Answer> {
    cx.signal.throwIfAborted()
    // A signal of its own, since the client listens to it for as long as an answer that nobody reads.
    const own = new AbortController()
    const stop = () => own.abort(cx.signal.reason)
    cx.signal.addEventListener('abort', stop, { once: true })
    try {
      return await request({ signal: own.signal })
    } catch (thrown) {
      cx.signal.throwIfAborted()
      const { status } = thrown as { readonly status?: number }
      throw remoteError({ thrown, doing: `${doing} in ${this.describe()}`, status })
    } finally {
      cx.signal.removeEventListener('abort', stop)
    }
  }

  #full(path: string): string {
    return path === '' ? this.#root || '/' : `${this.#root}/${path}`
  }
}

function loginOf({ user, password, token }: WebdavSettings): Parameters<typeof createClient>[1] {
  if (token !== undefined)
    return { authType: AuthType.Token, token: { access_token: token.reveal(), token_type: 'Bearer' } }
  if (user === undefined) return { authType: AuthType.None }
  return { authType: AuthType.Password, username: user, password: password?.reveal() ?? '' }
}

function entryOf({ type, size, lastmod }: FileStat): TreeEntry {
  const kind = type === 'directory' ? 'folder' : 'file'
  return { kind, bytes: kind === 'folder' ? 0 : size, modified: new Date(lastmod) }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function statusOf(thrown: unknown): unknown {
  return thrown instanceof HoldfastError ? thrown.details['status'] : undefined
}

function notFound(thrown: unknown): HoldfastError {
  const { message } = thrown as HoldfastError
  return new HoldfastError('storage.not-found', message, { cause: thrown })
}

/** Where nothing is. */
function absent(thrown: unknown): undefined {
  if (thrown instanceof HoldfastError && thrown.code === 'storage.not-found') return undefined
  throw thrown
}

/** Ends well only with so many bytes: a connection that breaks off may look like an end. */
function counted(body: Readable, bytes: number, explained: (thrown: unknown) => Error): Readable {
  let left = bytes
  const counter = new PassThrough()
  body.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (!counter.write(chunk)) body.pause()
  })
  counter.on('drain', () => body.resume())
  counter.on('close', () => body.destroy())
  body.on('error', (error) => counter.destroy(explained(error)))
  body.on('end', () => {
    if (left === 0) counter.end()
    else counter.destroy(new HoldfastError('storage.unreachable', 'the server ended its answer too early'))
  })
  return counter
}
