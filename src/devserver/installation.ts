import { dirname, join } from 'node:path'
import type { DevServerDriver, DevServerPrograms } from '../engine/dev-server.js'
import type { Account } from '../env/account.js'
import type { Context } from '../env/context.js'
import { requireReach, serverAccount } from './account.js'
import type { DevServerSettings } from './settings.js'

/** What this machine runs a server with. */
export interface Installed {
  readonly programs: DevServerPrograms
  /** Undefined where the server runs as the account of this process. */
  readonly account: Account | undefined
}

interface Wanted {
  readonly cx: Context
  readonly driver: DevServerDriver
  readonly folder: string
  readonly settings: DevServerSettings
  readonly modules: readonly string[]
  readonly like?: string
}

/** Finds it once: each look starts programs. */
export class Installation {
  readonly #wanted: Wanted
  #found: Installed | undefined
  /** Of the data that were there then. */
  #soughtVersion: string | undefined

  constructor(wanted: Wanted) {
    this.#wanted = wanted
  }

  /** @throws tool.missing, devserver.no-access */
  async find(): Promise<Installed> {
    const { driver, folder, like } = this.#wanted
    const version =
      (await driver.dataVersion?.(join(folder, 'data'))) ??
      (like === undefined ? undefined : await driver.dataVersion?.(like))
    const known = this.#found
    if (known !== undefined && [this.#soughtVersion, known.programs.dataVersion].includes(version))
      return known
    // Each look starts programs: side by side. A machine without the server is told that first.
    const account = this.#account()
    account.catch(() => undefined)
    const programs = await this.#programs(version)
    this.#found = { programs, account: await this.#reaching(await account, programs) }
    this.#soughtVersion = version
    return this.#found
  }

  async #programs(dataVersion: string | undefined): Promise<DevServerPrograms> {
    const { cx, driver, settings, modules } = this.#wanted
    return driver.find(cx, {
      modules,
      ...(settings.programs === undefined ? {} : { directory: settings.programs }),
      ...(dataVersion === undefined ? {} : { dataVersion }),
    })
  }

  async #account(): Promise<Account | undefined> {
    const { cx, driver, folder } = this.#wanted
    // A file needs no account of its own.
    return driver.command === undefined ? undefined : serverAccount(cx, folder, driver.accounts ?? [])
  }

  /** None where the server may be run by root, and the account cannot reach its programs. */
  async #reaching(account: Account | undefined, { paths }: DevServerPrograms): Promise<Account | undefined> {
    if (account === undefined || this.#wanted.driver.runsAsRoot !== true) return account
    const reached = Object.values(paths).map((path) => requireReach(account, dirname(path)))
    return Promise.all(reached).then(
      () => account,
      () => undefined,
    )
  }
}
