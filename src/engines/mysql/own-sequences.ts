import { LineHeads } from './line-heads.js'
import { quoteName } from './quoting.js'

/** Strings and names are passed over; what is left is a call with a sequence of some database. */
const sequenceCall = /'(?:[^'\\]|\\.|'')*'|\b((?:next|last|set)val\()(`(?:[^`]|``)+`)\.|`(?:[^`]|``)+`/giu

/**
 * MariaDB writes the name of the database before each sequence that a default or a view takes numbers from, also where it is their
 * own. Restored under another name they would go on using the sequence of the old database, or fail where there is none.
 * @returns the text with the sequences of `database` as those of whichever database it is run in
 */
export function withOwnSequences(text: string, database: string): string {
  if (!/(?:next|last|set)val\(/iu.test(text)) return text
  const own = quoteName(database)
  return text.replaceAll(sequenceCall, (all: string, call?: string, of?: string) =>
    call !== undefined && of === own ? call : all,
  )
}

/** Whether a line of a dump, outside of routines, may hold such a call: a column of a table, or what a view reads. */
export function mayUseSequences(line: string): boolean {
  return line.startsWith('  `') || line.startsWith('/*!50001 VIEW ')
}

/** Mends the dump of a database while it passes by. */
export function ownSequencesOf(database: string): LineHeads {
  let delimiter = ';'
  return new LineHeads({
    inspect(line) {
      delimiter = /^DELIMITER (\S+)$/u.exec(line)?.[1] ?? delimiter
      if (delimiter !== ';' || !mayUseSequences(line)) return 'keep'
      const mended = withOwnSequences(line, database)
      return mended === line ? 'keep' : { replace: mended }
    },
  })
}
