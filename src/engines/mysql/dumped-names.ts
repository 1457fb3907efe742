import type { RestoreSource } from '../../engine/connector.js'
import type { Inventory } from './inventory.js'
import { LineHeads } from './line-heads.js'
import { unquoteName } from './quoting.js'

/** What a dump makes or drops; tables, views and sequences share their names. */
export interface DumpedNames {
  readonly relations: ReadonlySet<string>
  readonly routines: ReadonlySet<string>
  readonly events: ReadonlySet<string>
}

const made = new RegExp(
  '^\\s*(?:/\\*!\\d+\\s+)?(?:CREATE|DROP|VIEW)\\b[^;]*?' +
    '\\b(TABLE|VIEW|SEQUENCE|PROCEDURE|FUNCTION|PACKAGE(?:\\s+BODY)?|EVENT)\\s+' +
    '(?:(?:/\\*!\\d+\\s*)?IF\\s+(?:NOT\\s+)?EXISTS\\s*(?:\\*/)?\\s*)?(`(?:[^`]|``)+`|[^\\s(;`]+)',
  'iu',
)

/** Reads a dump once to its end for the names in it. */
export async function readDumpedNames(source: RestoreSource): Promise<DumpedNames> {
  const names = { relations: new Set<string>(), routines: new Set<string>(), events: new Set<string>() }
  const heads = new LineHeads({
    inspect(line) {
      const [, kind = '', name = ''] =
        made.exec(line.startsWith('/*!50001 VIEW ') ? `CREATE ${line.slice(9)}` : line) ?? []
      const plain = unquoteName(name)
      if (/^(?:TABLE|VIEW|SEQUENCE)$/iu.test(kind)) names.relations.add(plain)
      else if (/^EVENT$/iu.test(kind)) names.events.add(plain)
      else if (kind !== '') names.routines.add(plain)
      return 'keep'
    },
  })
  for (const part of source.parts) {
    for await (const chunk of await source.open(part)) heads.push(chunk as Buffer)
    heads.end()
  }
  return names
}

/** The objects of a database that a dump would replace, as the server compares names. */
export function namesInBoth(dumped: DumpedNames, inventory: Inventory): readonly string[] {
  const { tables, views, sequences, routines, events } = inventory
  const both = (ours: readonly string[], theirs: ReadonlySet<string>) => {
    const folded = new Set([...theirs].map((name) => name.toLowerCase()))
    return ours.filter((name) => folded.has(name.toLowerCase()))
  }
  return [
    ...both([...tables.map(({ name }) => name), ...views, ...sequences], dumped.relations),
    ...both(
      routines.map(({ name }) => name),
      dumped.routines,
    ),
    ...both(events, dumped.events),
  ]
}
