import { PassThrough, Writable, type Readable } from 'node:stream'

/**
 * What is written to it is sent by `send`, which takes it as a stream and resolves when the server has all of it. Finishes then;
 * closes when `send` has come to its end either way.
 */
export function sending(send: (body: Readable) => Promise<void>): Writable {
  const body = new PassThrough()
  // Told by `sent`, whichever side it comes from.
  body.on('error', () => undefined)
  const sent = send(body)
  const writable = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // A copy: whoever wrote the chunk may use its memory again.
      if (body.write(Buffer.from(chunk))) done()
      else body.once('drain', done)
    },
    final(done) {
      body.end()
      sent.then(() => done(), done)
    },
    destroy(error, done) {
      body.destroy(error ?? new Error('given up'))
      sent.then(
        () => done(error),
        () => done(error),
      )
    },
  })
  // The server may refuse before it has all.
  sent.catch((error: Error) => void writable.destroy(error))
  return writable
}
