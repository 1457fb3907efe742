import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Env } from '../env/env.js'

const readBytes = 256 * 1024
/** What macOS allows, less than Linux; libuv would cut a longer path, and make the socket somewhere else. */
const mostPathBytes = 103

/** A local connection for what a program prints: `theirs` is to be its stdout, `ours` is where it arrives. */
export interface OutputPair {
  readonly theirs: Socket
  readonly ours: Socket
}

/**
 * Makes a connection of which all that arrives is read into one buffer. A pipe that Node makes for a child is read into a fresh
 * buffer for every 64 KiB at most, which the garbage collector has to follow: see docs/decisions/chunks.md.
 *
 * @param receive is given each arrival in memory that is used again; `false` pauses until `ours.resume()`
 * @returns nothing where the machine cannot do it: Windows, whose pipes programs take for something else, or a temporary
 *   folder with a path too long for a socket
 */
export async function outputPair(
  env: Env,
  receive: (data: Uint8Array) => boolean,
): Promise<OutputPair | undefined> {
  if (env.platform === 'win32') return undefined
  const folder = await env.temporaryDirectory()
  const server = createServer({ pauseOnConnect: true })
  try {
    const path = join(folder.path, 'output')
    if (Buffer.byteLength(path) > mostPathBytes) return undefined
    server.listen(path)
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    const callback = (length: number, buffer: Uint8Array) => receive(buffer.subarray(0, length))
    const ours = connect({ path, onread: { buffer: Buffer.allocUnsafeSlow(readBytes), callback } })
    // The end, or what is missing of it, is what counts: see `supervise`.
    ours.on('error', () => undefined)
    const [theirs] = (await accepted) as [Socket]
    return { ours, theirs }
  } catch {
    return undefined
  } finally {
    server.close()
    await folder.remove()
  }
}
