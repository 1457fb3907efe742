import type { Readable } from 'node:stream'
import type { FilesSettings } from '../config/settings.js'
import type { Context } from '../env/context.js'
import type { ConflictMode, Examined, ExtractInput, Unpacked } from '../files/program/protocol.js'
import { examineForStorage, extractIntoStorage, type StorageExtract } from '../files/storage-extract.js'
import { examineArchive } from '../files/tools.js'
import type { Storage } from '../storages/storage.js'
import { checkRoom, checkSwap, type Folder } from './files-folder.js'
import { partlyRestored, restoreBeside, restoreInto } from './files-write.js'

/** What files are restored into. */
export interface FilesTarget {
  readonly kind: 'folder' | 'storage'
  /** For people. */
  readonly place: string
  readonly exists: boolean
  /** Nothing that is there can be in the way. */
  readonly fresh: boolean
  /** Reads the whole archive and changes nothing. @throws integrity.*, refused.not-empty */
  examine(archive: Readable): Promise<Examined>
  /** Whether there is room, and whatever else can be known before the first change. */
  check(examined: Examined): Promise<void>
  /** @param warn told what is left behind */
  restore(archive: () => Promise<Readable>, warn: (message: string) => void): Promise<Unpacked>
}

export interface FilesWanted {
  readonly onConflict: ConflictMode
  readonly only: readonly string[]
  readonly replace: boolean
}

export function folderTarget(cx: Context, folder: Folder, input: ExtractInput): FilesTarget {
  return {
    kind: 'folder',
    place: folder.path,
    exists: folder.exists,
    fresh: folder.fresh,
    examine: (archive) => examineArchive(cx, input, archive),
    async check({ bytes }) {
      await checkRoom(folder, bytes)
      if (folder.fresh) await checkSwap(folder)
    },
    restore: (archive, warn) =>
      folder.fresh ? restoreBeside(cx, folder, input, archive, warn) : restoreInto(cx, input, archive),
  }
}

/** How much a storage has room for is not known before it is full. */
export function storageTarget(
  cx: Context,
  storage: Storage,
  { include, exclude }: Pick<FilesSettings, 'include' | 'exclude'>,
  wanted: FilesWanted,
): FilesTarget {
  const place = storage.describe()
  const input: StorageExtract = { ...wanted, include, exclude }
  return {
    kind: 'storage',
    place,
    exists: true,
    fresh: wanted.replace,
    examine: (archive) => examineForStorage(cx, storage, input, archive),
    check: () => Promise.resolve(),
    async restore(archive) {
      try {
        return await extractIntoStorage(cx, storage, input, await archive())
      } catch (thrown) {
        throw partlyRestored(thrown, place)
      }
    },
  }
}
