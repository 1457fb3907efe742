/** Messages between Holdfast and its SQLite program: a line of JSON, and as many bytes after it as it says. */

export interface Frame<Head> {
  readonly head: Head
  readonly body: Buffer
}

export function frame(head: object, body?: Buffer): Buffer {
  const line = Buffer.from(`${JSON.stringify(body === undefined ? head : { ...head, bytes: body.length })}\n`)
  return body === undefined ? line : Buffer.concat([line, body])
}

const lineFeed = 10

/** Finds the frames in bytes that come in any pieces. An end within a frame is an end, not an error: the other side is gone. */
export async function* frames<Head extends object>(
  pieces: AsyncIterable<unknown>,
): AsyncGenerator<Frame<Head>> {
  let held: Buffer[] = []
  let length = 0
  let wanted = 0
  for await (const piece of pieces) {
    held.push(piece as Buffer)
    length += (piece as Buffer).length
    if (length < wanted) continue
    let data = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held)
    for (;;) {
      const end = data.indexOf(lineFeed)
      if (end < 0) {
        wanted = 0
        break
      }
      const head = JSON.parse(data.toString('utf8', 0, end)) as Head & { readonly bytes?: number }
      const whole = end + 1 + (head.bytes ?? 0)
      if (data.length < whole) {
        wanted = whole
        break
      }
      yield { head, body: data.subarray(end + 1, whole) }
      data = data.subarray(whole)
    }
    held = data.length === 0 ? [] : [data]
    length = data.length
  }
}
