import { open, type FileHandle } from 'node:fs/promises'

const syncEveryBytes = 128 * 1024 * 1024

/**
 * Has the disk write a file while more of it is still coming, so that the sync at its end, which alone counts, has little
 * left to wait for.
 */
export class EarlySync {
  readonly #file: FileHandle
  #unsynced = 0
  #running: Promise<void> | undefined

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async of(path: string): Promise<EarlySync> {
    return new EarlySync(await open(path, 'r+'))
  }

  wrote(bytes: number): void {
    this.#unsynced += bytes
    if (this.#unsynced < syncEveryBytes || this.#running !== undefined) return
    this.#unsynced = 0
    this.#running = this.#file
      .datasync()
      .catch(() => undefined)
      .finally(() => (this.#running = undefined))
  }

  async close(): Promise<void> {
    await this.#running
    await this.#file.close()
  }
}
