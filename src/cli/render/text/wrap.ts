/** Lines of whole words; a double space, which sets off a default, is kept. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/ (?! )/u)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word.trimStart()
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((each) => each.trimEnd())
}
