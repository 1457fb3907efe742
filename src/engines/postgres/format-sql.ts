import type { DumpFormat, FormatChecker } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'

const clusterLine = /^-- PostgreSQL database cluster dump\r?$/mu
const headLine = /^-- PostgreSQL database dump\r?$/mu
/** With the comment lines around it, as pg_dump writes it last. */
const trailer = /(?:^|\n)--\r?\n-- PostgreSQL database dump complete\r?\n--\r?\n/gu
/** It comes before everything else; further down the same bytes can be a row whose text begins with a carriage return. */
const restrictLine = /^(--\r?\n-- PostgreSQL database dump\r?\n--\s+)\\restrict ([0-9A-Za-z]+)\r?$/mu
/** More than the trailer and what may come after it have. */
const tailBytes = 4096
const headBytes = 4096

/** The plain SQL of pg_dump. Other SQL has no trailer, so that nobody could tell whether it is whole. */
export const sqlFormat: DumpFormat = {
  name: 'pg-sql',
  recognises: (head) => headLine.test(firstLines(head)) && !clusterLine.test(firstLines(head)),
  checker: () => new SqlChecker(),
}

/** What pg_dumpall writes: accounts and all databases of a server, which `psql` makes anew one after the other. */
export function clusterDump(head: Uint8Array): { readonly what: string; readonly hint: string } | undefined {
  if (!clusterLine.test(firstLines(head))) return undefined
  return {
    what: 'a dump of a whole server by pg_dumpall, and not of one database',
    hint: 'restore it with psql -f FILE postgres, as an administrator, on a server of its own; pg_dump and holdfast backup make dumps of one database',
  }
}

function firstLines(head: Uint8Array): string {
  return Buffer.from(head.subarray(0, 512)).toString('latin1')
}

/** Looks at both ends: the first line's comment, the trailer, and `\unrestrict` where the dump began with `\restrict`. */
class SqlChecker implements FormatChecker {
  #head: Buffer = Buffer.alloc(0)
  #tail: Buffer = Buffer.alloc(0)

  push(chunk: Uint8Array): void {
    if (this.#head.length < headBytes) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, headBytes - this.#head.length)])
    }
    this.#tail = lastBytes(this.#tail, chunk)
  }

  end(): void {
    const head = this.#head.toString('latin1')
    if (!headLine.test(head)) {
      const message = 'this is not a plain dump of pg_dump'
      throw new HoldfastError(head.length < 64 ? 'integrity.truncated' : 'integrity.format', message)
    }
    endOfDump(this.#tail, restrictKey(head))
  }
}

function lastBytes(before: Buffer, chunk: Uint8Array): Buffer {
  if (chunk.length >= tailBytes) return Buffer.from(chunk.subarray(chunk.length - tailBytes))
  const both = Buffer.concat([before, chunk])
  return both.subarray(Math.max(0, both.length - tailBytes))
}

/** The key of the `\restrict` line with which newer dumps begin. */
export function restrictKey(head: string): string | undefined {
  return restrictLine.exec(head)?.[2]
}

/** The head of a dump without its `\restrict` line. */
export function withoutRestrict(head: string): string {
  return head.replace(restrictLine, '$1')
}

/**
 * Where in the tail of a dump its last statement ends: at the trailer.
 * @throws integrity.truncated
 */
export function endOfDump(tail: Buffer, key: string | undefined): number {
  const text = tail.toString('latin1')
  const found = [...text.matchAll(trailer)].at(-1)
  if (found === undefined) {
    throw new HoldfastError(
      'integrity.truncated',
      'the dump ends without the line “PostgreSQL database dump complete”',
    )
  }
  const rest = text.slice(found.index + found[0].length).trim()
  if (rest !== (key === undefined ? '' : `\\unrestrict ${key}`)) {
    throw new HoldfastError(
      'integrity.truncated',
      rest === '' ? 'the dump ends before its \\unrestrict line' : 'something follows the end of the dump',
    )
  }
  return found.index
}
