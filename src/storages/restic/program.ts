import type { Writable } from 'node:stream'
import type { Context } from '../../env/context.js'
import type { TemporaryDirectory } from '../../env/env.js'
import { withoutCredentials } from '../../env/redaction.js'
import { asHoldfastError } from '../../errors.js'
import { readTool, runTool, talkWithTool, type ToolOutput } from '../../process/run.js'
import type { ToolCall } from '../../process/tool.js'
import { localFile } from '../local-file.js'
import { resticError } from './errors.js'
import type { ResticSettings } from './settings.js'

/** A restic that is fed through stdin. */
export interface Feeding {
  /** It finishes only after restic has ended well; destroyed with an error, it ends restic before that sees an end. */
  readonly stdin: Writable
  /** What it printed, when it has ended well. */
  readonly printed: Promise<string>
}

interface Login {
  readonly folder: TemporaryDirectory
  readonly env: Readonly<Record<string, string>>
}

/** How long what must be cleaned up after an interruption may take. */
const cleanUpMs = 10_000

/** Calls of the restic program for one repository. Its name and password go in private files: both may be secret. */
export class Restic {
  readonly #settings: ResticSettings
  readonly #baseDirectory: string
  #login: Promise<Login> | undefined

  constructor(settings: ResticSettings, baseDirectory: string) {
    this.#settings = settings
    this.#baseDirectory = baseDirectory
  }

  describe(): string {
    return `restic ${withoutCredentials(this.#settings.repository)}`
  }

  /** What it prints. @param doing for errors: `cannot list` @throws storage.*, tool.missing */
  async run(cx: Context, doing: string, args: readonly string[]): Promise<string> {
    try {
      return (await runTool(cx, await this.#call(cx, args))).stdout
    } catch (thrown) {
      throw this.error(thrown, doing)
    }
  }

  async feed(cx: Context, args: readonly string[]): Promise<Feeding> {
    const { stdin, stdout, finished } = talkWithTool(cx, await this.#call(cx, args))
    const chunks: Buffer[] = []
    stdout.on('data', (data: Buffer) => chunks.push(data))
    const printed = finished.then(() => Buffer.concat(chunks).toString('utf8'))
    printed.catch(() => undefined)
    return { stdin, printed }
  }

  async read(cx: Context, args: readonly string[]): Promise<ToolOutput> {
    return readTool(cx, await this.#call(cx, args))
  }

  /** Does what writes, and makes the repository before where there is none. @throws storage.*, tool.missing */
  async making<Result>(cx: Context, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      if (asHoldfastError(error).code !== 'storage.not-found') throw error
      await this.run(cx, 'cannot make the repository', ['init', '--quiet']).catch((failed: unknown) => {
        // Another run has made it meanwhile.
        if (asHoldfastError(failed).code !== 'storage.exists') throw failed
      })
      return work()
    }
  }

  /** Removes the locks of runs that are dead, and no others. */
  async unlock(cx: Context): Promise<void> {
    const own = { ...cx, signal: AbortSignal.timeout(cleanUpMs) }
    await this.run(own, 'cannot unlock', ['unlock', '--quiet']).catch(() => undefined)
  }

  error(thrown: unknown, doing: string): unknown {
    return resticError(thrown, `${doing} in ${this.describe()}`)
  }

  async close(): Promise<void> {
    const login = await this.#login?.catch(() => undefined)
    this.#login = undefined
    await login?.folder.remove()
  }

  async #call(cx: Context, args: readonly string[]): Promise<ToolCall> {
    const { program, password, compression, cacheDirectory } = this.#settings
    this.#login ??= this.#logIn(cx)
    const { env } = await this.#login
    const cache =
      cacheDirectory === undefined ? [] : ['--cache-dir', localFile(cx, cacheDirectory, this.#baseDirectory)]
    return {
      program,
      args: [...args, '--compression', compression, ...cache],
      env,
      ...(password === undefined ? {} : { secrets: [password] }),
    }
  }

  async #logIn(cx: Context): Promise<Login> {
    const { repository, password } = this.#settings
    const folder = await cx.env.temporaryDirectory()
    // One that another program keeps begins with its name.
    const isFolder = !/^[a-z0-9]{2,}:/u.test(repository)
    const place = isFolder ? localFile(cx, repository, this.#baseDirectory) : repository
    const env = {
      RESTIC_REPOSITORY: '',
      RESTIC_REPOSITORY_FILE: await folder.writeFile('repository', place),
    }
    if (password === undefined) return { folder, env }
    const file = await folder.writeFile('password', password.reveal())
    // Empty ones are none; inherited ones would come before the file, or beside it, which restic refuses.
    const only = { RESTIC_PASSWORD: '', RESTIC_PASSWORD_COMMAND: '', RESTIC_PASSWORD_FILE: file }
    return { folder, env: { ...env, ...only } }
  }
}
