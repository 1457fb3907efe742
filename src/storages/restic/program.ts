import type { Context } from '../../env/context.js'
import type { TemporaryDirectory } from '../../env/env.js'
import { withoutCredentials } from '../../env/redaction.js'
import { feedTool, readTool, runTool, type ToolInput, type ToolOutput } from '../../process/run.js'
import type { ToolCall } from '../../process/tool.js'
import { localFile } from '../local-file.js'
import { resticError } from './errors.js'
import type { ResticSettings } from './settings.js'

interface Login {
  readonly folder: TemporaryDirectory
  readonly env: Readonly<Record<string, string>>
}

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

  async feed(cx: Context, args: readonly string[]): Promise<ToolInput> {
    return feedTool(cx, await this.#call(cx, args))
  }

  async read(cx: Context, args: readonly string[]): Promise<ToolOutput> {
    return readTool(cx, await this.#call(cx, args))
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
