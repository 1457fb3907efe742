import { readSync, writeSync } from 'node:fs'
import type { HoldfastError } from '../../errors.js'
import type { MessageLine } from './protocol.js'

const [stdin, stdout, stderr] = [0, 1, 2]
/** Longer lines are cut by the reader, and would not be JSON any more. */
const longestMessage = 600

/** Writes all of it and waits until it is taken. */
export function writeOut(bytes: Uint8Array): void {
  writeAll(stdout, bytes)
}

export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(file, bytes, at)
    } catch (error) {
      // Where the other side has made the pipe one that does not wait.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      pause()
    }
  }
}

/** The next bytes of stdin, in memory that is used again; none at its end. */
export function* standardInput(): Generator<Buffer> {
  const chunk = Buffer.allocUnsafeSlow(1024 * 1024)
  for (;;) {
    try {
      const bytes = readSync(stdin, chunk)
      if (bytes === 0) return
      yield chunk.subarray(0, bytes)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Windows says the end of a pipe so.
      if (code === 'EOF') return
      if (code !== 'EAGAIN') throw error
      pause()
    }
  }
}

const never = new Int32Array(new SharedArrayBuffer(4))

function pause(): void {
  Atomics.wait(never, 0, 0, 1)
}

export function say(line: MessageLine): void {
  writeAll(stderr, Buffer.from(`${JSON.stringify(line)}\n`))
}

export function sayError({ code, message, hint }: HoldfastError): void {
  say({ error: { code, message: message.slice(0, longestMessage), hint: hint.slice(0, longestMessage) } })
}

export function sayWarning(warning: string): void {
  say({ warning: warning.slice(0, longestMessage) })
}
