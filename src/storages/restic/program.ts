import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
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
  /** While the repository is made. */
  #made: Promise<void> | undefined

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
      this.#made ??= this.#make(cx).finally(() => (this.#made = undefined))
      await this.#made
      return work()
    }
  }

  /**
   * Two `restic init` of one place at once leave the key of one and the configuration of the other, which nobody can open. So a
   * folder is made beside its place, and takes it in one step.
   */
  async #make(cx: Context): Promise<void> {
    const folder = this.#folder(cx)
    const doing = 'cannot make the repository'
    if (folder === undefined || existsSync(folder)) {
      await this.run(cx, doing, ['init', '--quiet']).catch((failed: unknown) => {
        // Another run has made it meanwhile.
        if (asHoldfastError(failed).code !== 'storage.exists') throw failed
      })
      return
    }
    const beside = `${folder}.${Buffer.from(cx.env.randomBytes(6)).toString('hex')}`
    try {
      const call = await this.#call(cx, ['init', '--quiet'])
      await runTool(cx, {
        ...call,
        env: { ...call.env, RESTIC_REPOSITORY_FILE: '', RESTIC_REPOSITORY: beside },
      })
      await rename(beside, folder)
    } catch (failed) {
      await rm(beside, { recursive: true, force: true })
      if (!existsSync(join(folder, 'config'))) throw this.error(failed, doing)
    }
  }

  /** Undefined for a repository that another program keeps: its name begins with that program's. */
  #folder(cx: Context): string | undefined {
    const { repository } = this.#settings
    return /^[a-z0-9]{2,}:/u.test(repository) ? undefined : localFile(cx, repository, this.#baseDirectory)
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
    const place = this.#folder(cx) ?? repository
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
