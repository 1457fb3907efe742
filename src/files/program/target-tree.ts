import { closeSync, constants, existsSync, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs'
import { HoldfastError } from '../../errors.js'
import type { PathNames } from './entry-path.js'

const slash = Buffer.from('/')
const folderFlags = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)
/**
 * On Linux a path through an open folder is that folder, whatever happens to its name meanwhile: nobody can put a link in the way.
 * Elsewhere each folder is looked at before it is used.
 */
const throughHandles = process.platform === 'linux' && existsSync('/proc/self/fd')

interface Opened {
  readonly name: Buffer
  /** Leads to the folder. */
  readonly path: Buffer
  readonly handle: number | undefined
}

/** The folders of a restore's target, none of which is reached through a symbolic link. */
export class TargetTree {
  readonly #opened: Opened[]

  /** @param root an absolute path without symbolic links */
  constructor(root: string) {
    this.#opened = [open(Buffer.alloc(0), Buffer.from(root))]
  }

  /**
   * A path that leads to a folder, until the next call.
   * @param made told of each folder that is made; where absent, none is made, and undefined is a folder that is not there
   * @throws refused.not-empty where a file or link stands in a folder's place
   */
  folder(names: PathNames): Buffer | undefined
  folder(names: PathNames, made: (names: PathNames) => void): Buffer
  folder(names: PathNames, made?: (names: PathNames) => void): Buffer | undefined {
    this.#closeFrom(this.#common(names) + 1)
    for (let depth = this.#opened.length - 1; depth < names.length; depth++) {
      const name = names[depth] as Buffer
      const path = Buffer.concat([this.#current, slash, name])
      try {
        this.#opened.push(open(name, path))
        continue
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'ENOTDIR' || code === 'ELOOP') throw inTheWay(names.slice(0, depth + 1))
        if (code !== 'ENOENT') throw error
      }
      if (made === undefined) return undefined
      mkdirSync(path, 0o700)
      this.#opened.push(open(name, path))
      made(names.slice(0, depth + 1))
    }
    return this.#current
  }

  /** The handle of the folder that was asked for last; only where handles are used. */
  get handle(): number | undefined {
    return this.#opened.at(-1)?.handle
  }

  close(): void {
    this.#closeFrom(0)
  }

  get #current(): Buffer {
    return (this.#opened.at(-1) as Opened).path
  }

  /** How many of the folders are open already. */
  #common(names: PathNames): number {
    let depth = 0
    while (depth < names.length && this.#opened[depth + 1]?.name.equals(names[depth] as Buffer) === true)
      depth++
    return depth
  }

  #closeFrom(length: number): void {
    for (const { handle } of this.#opened.splice(length)) if (handle !== undefined) closeSync(handle)
  }
}

/** What is there, a link not followed. */
export function statsOf(path: Buffer): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false })
}

/** @throws as open(2): ENOTDIR or ELOOP for what is no folder */
function open(name: Buffer, path: Buffer): Opened {
  if (throughHandles) {
    const handle = openSync(path, folderFlags)
    return { name, path: Buffer.from(`/proc/self/fd/${handle}`), handle }
  }
  if (lstatSync(path).isDirectory()) return { name, path, handle: undefined }
  throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
}

function inTheWay(names: PathNames): HoldfastError {
  const place = names.map((name) => name.toString()).join('/')
  return new HoldfastError(
    'refused.not-empty',
    `${place} is a file or a link in the target, and a folder in the backup`,
    {
      hint: 'restore with --replace, or elsewhere with --to',
    },
  )
}
