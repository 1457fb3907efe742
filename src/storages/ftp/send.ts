import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import type { Client } from 'basic-ftp'
import { sending } from '../tree/sending.js'
import { ftpError } from './errors.js'

/**
 * A file that the server has opened and takes the bytes of.
 * @param path on the server
 * @param doing for errors: `cannot write in ftp …`
 * @param give takes the connection back where it can go on being used
 */
export async function send(client: Client, path: string, doing: string, give: () => void): Promise<Writable> {
  let ready: Promise<void> = Promise.resolve()
  let sent: Promise<void> = Promise.resolve()
  const file = sending((body) => {
    ready = readyFor(client, body)
    sent = upload(client, path, body, doing).then(give)
    return sent
  })
  // An error is thrown here as long as nobody has the file.
  const ignore = () => undefined
  file.on('error', ignore)
  await Promise.race([ready, sent])
  file.off('error', ignore)
  return file
}

async function upload(client: Client, path: string, body: Readable, doing: string): Promise<void> {
  try {
    await client.uploadFrom(body, path)
  } catch (thrown) {
    client.close()
    throw ftpError(thrown, doing)
  }
}

/**
 * When the server waits for bytes: then the client library begins to read them. An end that came before the handshake is over, or while
 * its last word is still on its way, would leave without TLS's goodbye, and be a broken connection for the server.
 */
async function readyFor(client: Client, body: Readable): Promise<void> {
  await once(body, 'resume')
  const socket = client.ftp.dataSocket
  if (!(socket instanceof TLSSocket)) return
  if (socket.getFinished() === undefined) await once(socket, 'secureConnect')
  for (let turn = 0; turn < 4; turn++) await setImmediate()
}
