import { PassThrough, Writable, type Readable } from 'node:stream'
import type { Client } from 'basic-ftp'
import { HoldfastError } from '../../errors.js'
import { ftpError } from './errors.js'

export interface Wanted {
  /** On the server. */
  readonly path: string
  readonly start: number
  readonly end: number
  /** Whether `end` is that of the file. */
  readonly toEnd: boolean
  /** For errors: `cannot read shop/app.dump in ftp …`. */
  readonly doing: string
}

/**
 * The bytes of a range. The protocol knows where to begin, and not where to stop: the connection is closed for that, as it is for a
 * reader that goes away.
 * @param give takes the connection back where it can go on being used
 */
export function receive(client: Client, wanted: Wanted, give: () => void): Readable {
  const out = new PassThrough()
  void fill(client, wanted, give, out)
  return out
}

async function fill(client: Client, wanted: Wanted, give: () => void, out: PassThrough): Promise<void> {
  const { path, start, end, toEnd, doing } = wanted
  let left = end - start
  let whole: () => void = () => undefined
  const enough = new Promise<void>((resolve) => (whole = resolve))
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const bytes = chunk.subarray(0, left)
      left -= bytes.length
      const taken = bytes.length === 0 || out.write(bytes)
      if (left === 0 && !toEnd) whole()
      if (taken) done()
      else out.once('drain', done)
    },
  })
  const leave = () => client.close()
  out.once('close', leave)
  try {
    const received = client.downloadTo(sink, path, start)
    received.catch(() => undefined)
    await (toEnd ? received : Promise.race([received, enough]))
    if (left > 0) throw new HoldfastError('storage.unreachable', `${doing}: the server ended too early`)
    out.off('close', leave)
    if (toEnd) give()
    else client.close()
    out.end()
  } catch (thrown) {
    out.off('close', leave)
    client.close()
    out.destroy(ftpError(thrown, doing))
  }
}
