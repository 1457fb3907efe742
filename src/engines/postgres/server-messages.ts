/** `d`: a row of a COPY, or a part of one. */
const copyData = 0x64
/** A letter, and four bytes of length, which count themselves. */
const headerBytes = 5
const nothing = Buffer.alloc(0)

/** A message that is not a row: its letter, and what follows its length. */
export interface ServerMessage {
  readonly code: string
  readonly body: Buffer
}

/**
 * Takes the messages of a server during a COPY apart without an object for each row. Every row comes as a message of its own, so
 * what is done for each is one move of its bytes: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class ServerMessages {
  readonly #receive: (message: ServerMessage) => void
  /** Bytes of the current row that are yet to come. */
  #ofRow = 0
  /** The beginning of a message that has not come as a whole. */
  #begun: Buffer = nothing

  constructor(receive: (message: ServerMessage) => void) {
    this.#receive = receive
  }

  /** Moves the rows among what has come to the front of its memory. @returns how many bytes of rows there are */
  strip(data: Buffer): number {
    const { length } = data
    let at = this.#begun.length === 0 ? 0 : this.#complete(data)
    let ofRow = this.#ofRow
    let rows = 0
    for (;;) {
      if (ofRow > 0) {
        const end = Math.min(at + ofRow, length)
        data.copyWithin(rows, at, end)
        rows += end - at
        ofRow -= end - at
        at = end
      }
      if (length - at < headerBytes) break
      const size = bodyBytes(data, at)
      if (data[at] === copyData) {
        at += headerBytes
        ofRow = size
        continue
      }
      const end = at + headerBytes + size
      if (end > length) break
      this.#receive(messageOf(data.subarray(at, end)))
      at = end
    }
    this.#ofRow = ofRow
    if (at < length) this.#begun = Buffer.from(data.subarray(at))
    return rows
  }

  /** Adds to a message that has begun. @returns how much of what has come belongs to it */
  #complete(data: Buffer): number {
    const add = (from: number, wanted: number) => {
      const taken = data.subarray(from, from + wanted - this.#begun.length)
      this.#begun = Buffer.concat([this.#begun, taken])
      return from + taken.length
    }
    let at = add(0, Math.max(headerBytes, this.#begun.length))
    if (this.#begun.length < headerBytes) return at
    const size = bodyBytes(this.#begun, 0)
    if (this.#begun[0] === copyData) this.#ofRow = size
    else {
      at = add(at, headerBytes + size)
      if (this.#begun.length < headerBytes + size) return at
      this.#receive(messageOf(this.#begun))
    }
    this.#begun = nothing
    return at
  }
}

function bodyBytes(data: Buffer, at: number): number {
  return data.readInt32BE(at + 1) - 4
}

/** A copy, since the memory is used again. */
function messageOf(message: Buffer): ServerMessage {
  return { code: String.fromCharCode(message[0] ?? 0), body: Buffer.from(message.subarray(headerBytes)) }
}

/**
 * What a server says went wrong, as the driver would give it: `code` is the SQLSTATE.
 * https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function serverError({ body }: ServerMessage): Error {
  const fields = new Map<string, string>()
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const end = body.indexOf(0, at + 1)
    fields.set(String.fromCharCode(body[at] ?? 0), body.toString('utf8', at + 1, end))
    at = end + 1
  }
  const where = fields.get('W')
  const message = `${fields.get('M') ?? 'the server reports an error'}${where === undefined ? '' : ` (${where})`}`
  return Object.assign(new Error(message), { code: fields.get('C') })
}
