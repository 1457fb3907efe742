import { printable, type Look, type Style } from '../../terminal.js'

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

/** Sentences, a line each; `undefined` where there is none. */
export function severalLines(texts: readonly string[], look: Look, style: Style): string | undefined {
  return texts.length === 0 ? undefined : texts.map((text) => style(look, printable(text))).join('\n')
}
