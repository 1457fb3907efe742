import { ArchiveHeadReader, type ArchiveEntry, type EntryStatement, type Span } from './archive-toc.js'

/** Other statements for an entry; pg_restore passes over an entry whose definition is empty and that has no data. */
export interface EntryEdit extends Readonly<Partial<Record<EntryStatement, string>>> {
  /** Its block of data is passed over. */
  readonly data?: false
}

export type EditEntry = (entry: ArchiveEntry) => EntryEdit

/** As they follow each other in an entry. */
const inOrder: readonly EntryStatement[] = ['definition', 'drop', 'copy', 'owner']

/** The head of an archive with other statements for some of its entries. What follows the head stays where it is. */
export function editedArchive(head: Buffer, edits: readonly EditEntry[]): Buffer {
  if (edits.length === 0) return head
  const pieces: Buffer[] = []
  let kept = 0
  const replace = ({ start, end }: Span, by: Buffer) => {
    pieces.push(head.subarray(kept, start), by)
    kept = end
  }
  const reader = new ArchiveHeadReader(
    () => undefined,
    (entry) => {
      const edit = edits.reduce<EntryEdit>((all, each) => ({ ...all, ...each(entry) }), {})
      if (edit.data === false) replace(entry.places.data, noData)
      for (const statement of inOrder) {
        const text = edit[statement]
        if (text === undefined) continue
        replace(entry.places[statement], statement === 'drop' && text === '' ? none : field(text))
      }
    },
  )
  reader.push(head)
  return Buffer.concat([...pieces, head.subarray(kept)])
}

/** A sign and four bytes for 0. */
const noData = Buffer.alloc(5)

/** A sign and four bytes for −1: no string. */
const none = Buffer.from([1, 1, 0, 0, 0])

/** A sign, four bytes of length, the lowest first, and the text. */
function field(text: string): Buffer {
  const bytes = Buffer.from(text)
  const head = Buffer.alloc(5)
  head.writeUInt32LE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}
