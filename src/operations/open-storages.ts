import { Catalog } from '../catalog/catalog.js'
import type { Settings } from '../config/settings.js'
import { HoldfastError } from '../errors.js'
import type { Storage } from '../storages/storage.js'

/** A storage in use, with the catalog of the backups in it. */
export interface OpenStorage {
  readonly name: string
  readonly storage: Storage
  readonly catalog: Catalog
}

/** The configured storages; each is opened when it is first asked for. */
export class OpenStorages {
  readonly #settings: Settings
  readonly #open = new Map<string, Promise<OpenStorage>>()

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** @param name the first configured storage where absent. @throws usage.unknown-storage, config.invalid */
  get(name?: string): Promise<OpenStorage> {
    const known = [...this.#settings.storages.keys()]
    const wanted = name ?? this.#ofBackups()[0]
    if (wanted === undefined || !known.includes(wanted)) {
      throw new HoldfastError(
        'usage.unknown-storage',
        `there is no storage ${wanted ?? ''}; known: ${known.join(', ')}`,
      )
    }
    const open = this.#open.get(wanted) ?? this.#openStorage(wanted)
    this.#open.set(wanted, open)
    return open
  }

  /** The one named, or every configured storage that holds no files to back up. */
  async all(name?: string): Promise<readonly OpenStorage[]> {
    const names = name === undefined ? this.#ofBackups() : [name]
    return Promise.all(names.map((each) => this.get(each)))
  }

  async close(): Promise<void> {
    const open = await Promise.allSettled(this.#open.values())
    this.#open.clear()
    for (const result of open) if (result.status === 'fulfilled') await result.value.storage.close()
  }

  #ofBackups(): readonly string[] {
    return [...this.#settings.storages.values()]
      .filter(({ source }) => source !== true)
      .map(({ name }) => name)
  }

  async #openStorage(name: string): Promise<OpenStorage> {
    const found = this.#settings.storages.get(name)
    if (found === undefined) throw new HoldfastError('usage.unknown-storage', `there is no storage ${name}`)
    const storage = await found.driver.open(found.settings, {
      name,
      baseDirectory: this.#settings.baseDirectory,
    })
    return { name, storage, catalog: new Catalog(storage, this.#settings.signing) }
  }
}
