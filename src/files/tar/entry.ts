/** What an entry of an archive is. `device` stands for block and character devices, `other` for what no tar of today makes. */
export type EntryType = 'file' | 'folder' | 'symlink' | 'hardlink' | 'device' | 'fifo' | 'other'

/** One entry of a tar archive. Names are bytes: on Linux a name may be any bytes but NUL and slash. */
export interface TarEntry {
  /** As it stands in the archive, without a slash at its end. */
  readonly path: Buffer
  readonly type: EntryType
  /** Permission bits, with set-user-id and its like: `0o7777`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of the file itself; 0 for everything that is no file. */
  readonly size: number
  /** Nanoseconds since 1970, in UTC. */
  readonly modifiedNs: bigint
  /** Of a symbolic link what it says; of a hard link the path of an earlier entry. */
  readonly link?: Buffer
}

export const blockBytes = 512

/** How much is missing from a whole number of blocks. */
export function paddingOf(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes
}
