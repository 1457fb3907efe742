import { createReadStream } from 'node:fs'
import { HoldfastError } from '../../errors.js'

/** More than any row of a data file; what has a longer line is some other kind of file. */
const longestLine = 64 * 1024 * 1024
const lineFeed = 10

export interface TextLine {
  readonly text: string
  /** From 1. */
  readonly number: number
}

/**
 * The lines of a file of UTF-8 text, without their ends.
 * @throws integrity.format naming the line that is no UTF-8 or too long
 */
export async function* textLines(path: string, name: string, signal: AbortSignal): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf8', { fatal: true })
  let number = 1
  let rest: Buffer[] = []
  let length = 0
  const line = (bytes: Buffer): TextLine => {
    try {
      const text = decoder.decode(bytes)
      return { text: text.endsWith('\r') ? text.slice(0, -1) : text, number: number++ }
    } catch (error) {
      throw new HoldfastError('integrity.format', `${name}:${number}: not UTF-8 text`, { cause: error })
    }
  }
  for await (const piece of createReadStream(path, { signal })) {
    let data = piece as Buffer
    for (let end = data.indexOf(lineFeed); end >= 0; end = data.indexOf(lineFeed)) {
      yield line(Buffer.concat([...rest, data.subarray(0, end)]))
      rest = []
      length = 0
      data = data.subarray(end + 1)
    }
    rest.push(data)
    length += data.length
    if (length > longestLine)
      throw new HoldfastError(
        'integrity.format',
        `${name}:${number}: a line is longer than ${longestLine} bytes`,
      )
  }
  if (length > 0) yield line(Buffer.concat(rest))
}
