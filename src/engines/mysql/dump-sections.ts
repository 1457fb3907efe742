import { unquoteName } from './quoting.js'

/** What a stretch of a tool's dump is about. */
export type Section =
  | {
      readonly kind: 'table' | 'view' | 'sequence' | 'sequence-value' | 'rows'
      readonly name: string
    }
  | { readonly kind: 'routines' | 'events' }
  /** Without a table where its statement does not say in a way that is understood. */
  | { readonly kind: 'trigger'; readonly table: string | undefined }

/** @param section absent for what is about the dump as a whole: its head, its end */
type Take = (bytes: Buffer, section: Section | undefined) => void

const newline = 0x0a
/** Longer than all lines that tell a section. */
const headBytes = 4 * 1024
/** The first bytes of lines that may tell one: rows are not looked at. */
const telling = new Set(Buffer.from('-/DdSUu'))

const heading =
  /^-- (?:(Table structure|Dumping data) for table|((?:Temporary (?:table|view)|Final view) structure for view)|(Sequence structure for(?: sequence)?)|Dumping (\w+) for database) (.+)$/u
const delimiter = /^delimiter\s+(\S+)/iu
const triggerBegin = /^\/\*!50003 SET @saved_cs_client\s*= /u
const triggerEnd = /^\/\*!50003 SET collation_connection\s*= @saved_col_connection /u
/** The settings of the session are put back, or another database follows. */
const sectionEnd =
  /^(?:\/\*!\d+ SET \w+\s*=\s*@OLD_\w+ \*\/;|SET @@SESSION\.SQL_LOG_BIN\s*= @MYSQLDUMP|-- Current Database: |USE )/iu

const name = '(`(?:[^`]|``)+`|[^\\s`.]+)'
const qualified = `(?:${name}\\s*\\.\\s*)?${name}`
const triggerTable = new RegExp(
  `\\btrigger\\s+(?:if\\s+not\\s+exists\\s+)?${qualified}\\s+(?:before|after)\\s+(?:insert|update|delete)\\s+on\\s+${qualified}\\s`,
  'iu',
)

/**
 * Cuts a dump of mysqldump or mariadb-dump as it passes by into its sections, by the comments that head them. A string holds
 * no line break, so that what begins a line is structure, but for the bodies between other delimiters.
 */
export class DumpSections {
  readonly #take: Take
  #held: Buffer = Buffer.alloc(0)
  /** Within a line whose beginning has been looked at. */
  #withinLine = false
  #section: Section | undefined
  #delimiter = ';'
  /** A trigger so far: whose it is, its statement says. */
  #trigger: Buffer[] | undefined
  #triggerEnds = false

  constructor(take: Take) {
    this.#take = take
  }

  push(chunk: Buffer): void {
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = Buffer.alloc(0)
    let from = 0
    let at = 0
    while (at < data.length) {
      const end = data.indexOf(newline, at)
      if (!this.#withinLine) {
        if (end < 0 && data.length - at < headBytes) {
          this.#give(data.subarray(from, at))
          this.#held = Buffer.from(data.subarray(at))
          return
        }
        const length = end < 0 ? headBytes : Math.min(end - at, headBytes)
        if (telling.has(data[at] as number)) {
          const before = data.subarray(from, at)
          this.#line(data.toString('utf8', at, at + length), () => {
            this.#give(before)
            from = at
          })
        }
      }
      this.#withinLine = end < 0
      at = end < 0 ? data.length : end + 1
      if (this.#triggerEnds && end >= 0) {
        this.#give(data.subarray(from, at))
        from = at
        this.#endTrigger()
      }
    }
    this.#give(data.subarray(from))
  }

  end(): void {
    if (this.#held.length > 0) this.#line(this.#held.toString('utf8'), () => undefined)
    this.#give(this.#held)
    this.#endTrigger()
  }

  /** @param cut gives what stands before the line to the section so far */
  #line(text: string, cut: () => void): void {
    const changed = delimiter.exec(text)?.[1]
    if (changed !== undefined) this.#delimiter = changed
    // The body of a routine or a trigger may hold anything.
    if (changed !== undefined || this.#delimiter !== ';') return
    const next = sectionOf(text)
    if (next !== undefined || sectionEnd.test(text)) {
      cut()
      this.#endTrigger()
      this.#section = next
    } else if (this.#section?.kind === 'sequence' && text.startsWith('DO SETVAL(')) {
      cut()
      this.#section = { kind: 'sequence-value', name: this.#section.name }
    } else if (triggerBegin.test(text) && this.#mayHaveTriggers) {
      cut()
      this.#trigger = []
    } else if (this.#trigger !== undefined && triggerEnd.test(text)) this.#triggerEnds = true
  }

  /** They stand behind the rows of their table, or, in a dump without rows, by themselves. */
  get #mayHaveTriggers(): boolean {
    const kind = this.#section?.kind
    return kind === undefined || kind === 'rows' || kind === 'table'
  }

  #give(bytes: Buffer): void {
    if (bytes.length === 0) return
    if (this.#trigger === undefined) this.#take(bytes, this.#section)
    else this.#trigger.push(Buffer.from(bytes))
  }

  #endTrigger(): void {
    const parts = this.#trigger
    this.#trigger = undefined
    this.#triggerEnds = false
    if (parts === undefined) return
    const bytes = Buffer.concat(parts)
    const named = triggerTable.exec(withoutComments(bytes.toString('utf8')))?.[4]
    const table =
      named === undefined
        ? this.#section?.kind === 'rows'
          ? this.#section.name
          : undefined
        : unquoteName(named)
    this.#take(bytes, { kind: 'trigger', table })
  }
}

function sectionOf(line: string): Section | undefined {
  const [, table, view, sequence, ofDatabase, named = ''] = heading.exec(line.trimEnd()) ?? []
  const about = unquoteName(named)
  if (table !== undefined) return { kind: table === 'Dumping data' ? 'rows' : 'table', name: about }
  if (view !== undefined) return { kind: 'view', name: about }
  if (sequence !== undefined) return { kind: 'sequence', name: about }
  if (ofDatabase !== undefined) return { kind: ofDatabase === 'events' ? 'events' : 'routines' }
  return undefined
}

/** Of a statement in which the tools have put parts into comments that servers heed. */
function withoutComments(statement: string): string {
  return statement.replace(/\/\*!\d+|\*\//gu, ' ').replace(/\/\*.*?\*\//gsu, ' ')
}
