import type { DumpFormat, FormatChecker } from '../../engine/connector.js'
import { HoldfastError } from '../../errors.js'
import { isToolDump } from './dump-head.js'

/** The last line of every dump of mysqldump and mariadb-dump; a date may follow. */
const trailer = /^-- Dump completed(?: on .*)?$/u
/** Enough for the longest last statement that anyone writes by hand. */
const tailBytes = 64 * 1024
const headBytes = 4_096

/** SQL text for MySQL or MariaDB: a dump of their tools, or a script of anybody's. */
export const mysqlSql: DumpFormat = {
  name: 'sql',
  recognises(head) {
    const text = textOf(head)
    return isToolDump(text) || isOtherSql(text)
  },
  checker: () => new SqlChecker(),
}

const firstWord =
  /^(?:ALTER|BEGIN|CREATE|DELETE|DELIMITER|DROP|INSERT|LOCK|REPLACE|SET|START\s+TRANSACTION|TRUNCATE|UPDATE|USE)\s/iu

/** A script begins with a statement, perhaps after comments; other databases' dumps say what they are. */
function isOtherSql(text: string): boolean {
  if (/[\0-\x08\x0e-\x1f]/u.test(text)) return false
  if (/^-- PostgreSQL database (?:cluster )?dump/mu.test(text) || /^PRAGMA /mu.test(text)) return false
  const withoutComments = text
    .replace(/^\uFEFF/u, '')
    .replace(/\/\*(?!M?!)[^]*?(?:\*\/|$)/gu, '')
    .replace(/^\s*(?:--(?:\s.*)?|#.*)$/gmu, '')
    .trimStart()
  if (withoutComments === '') return /^(?:\uFEFF)?\s*(?:--\s|#|\/\*)/u.test(text)
  return /^\/\*M?!/u.test(withoutComments) || firstWord.test(withoutComments)
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, headBytes)).toString('utf8')
}

/**
 * A dump of the tools is whole when it ends with their trailer; a script without their header when its last statement is
 * complete, which is all that can be known of it.
 */
class SqlChecker implements FormatChecker {
  #head: Buffer = Buffer.alloc(0)
  #tail: Buffer = Buffer.alloc(0)
  #bytes = 0

  push(chunk: Uint8Array): void {
    const data = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#bytes += data.length
    if (this.#head.length < headBytes) {
      this.#head = Buffer.concat([this.#head, data.subarray(0, headBytes - this.#head.length)])
    }
    // Copied: the chunk's memory is whole and large, and belongs to the stream.
    this.#tail =
      data.length >= tailBytes
        ? Buffer.from(data.subarray(-tailBytes))
        : Buffer.concat([this.#tail, data]).subarray(-tailBytes)
  }

  end(): void {
    if (this.#bytes === 0) throw new HoldfastError('integrity.empty', 'the dump is empty')
    const lines = this.#tail.toString('utf8').trimEnd().split(/\r?\n/u)
    const last = lines.at(-1) ?? ''
    if (trailer.test(last)) return
    const head = this.#head.toString('utf8')
    if (!mysqlSql.recognises(this.#head))
      throw new HoldfastError('integrity.format', 'this is no SQL of MySQL or MariaDB')
    if (isToolDump(head)) {
      throw new HoldfastError('integrity.truncated', 'the dump ends before its last line, -- Dump completed')
    }
    if (!endsStatement(lines))
      throw new HoldfastError('integrity.truncated', 'the script ends within a statement')
  }
}

/** Whether there is a statement, and its last line ends it, by `;` or by a delimiter of the script's own. */
function endsStatement(lines: readonly string[]): boolean {
  const statement = lines.findLast((line) => line.trim() !== '' && !/^\s*(?:--(?:\s|$)|#)/u.test(line))
  return statement !== undefined && /(?:;|\*\/|\$\$|\/\/)\s*(?:--\s.*|#.*)?$/u.test(statement)
}
