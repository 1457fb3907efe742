import { printable, type Look, type Style } from '../../terminal.js'
import { wrap } from './wrap.js'

/** Lines of a label and what there is to say; a text of several lines stays aligned. What is `undefined` is left out. */
export function renderFacts(
  facts: readonly (readonly [label: string, text: string | undefined])[],
  style: Style,
): string {
  const known = facts.flatMap(([label, text]) =>
    text === undefined ? [] : [{ label, lines: text.split('\n') }],
  )
  const size = Math.max(...known.map(({ label }) => label.length))
  return known
    .flatMap(({ label, lines }) =>
      lines.map((line, index) =>
        `  ${style('dim', (index === 0 ? label : '').padEnd(size))}  ${line}`.trimEnd(),
      ),
    )
    .join('\n')
}

/** What the longest label takes, and the space around it. */
const labelColumns = 14

/** Sentences, each on a line of its own, or on several where the terminal is narrower; `undefined` where there is none. */
export function severalLines(
  texts: readonly string[],
  look: Look,
  style: Style,
  columns = Infinity,
): string | undefined {
  if (texts.length === 0) return undefined
  return texts
    .flatMap((text) => wrap(printable(text), columns - labelColumns))
    .map((line) => style(look, line))
    .join('\n')
}
