import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const filesInFolder = 100
const blockBytes = 4096

/** Random numbers that are the same in every run (xorshift32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/** What uploads are: texts that compress, and pictures that do not, half and half. */
function blocks(): () => Buffer {
  const next = generator(20_261_120)
  const words = Array.from({ length: 2000 }, () => (next() % 2 ** 31).toString(36))
  return () => {
    if (next() % 2 === 0) {
      const bytes = Buffer.allocUnsafe(blockBytes)
      for (let at = 0; at < blockBytes; at += 4) bytes.writeUInt32LE(next(), at)
      return bytes
    }
    let text = ''
    while (text.length < blockBytes) text += `${words[next() % words.length]} `
    return Buffer.from(text.slice(0, blockBytes), 'latin1')
  }
}

/** Files of 0 to 6 KiB, a hundred in a folder. */
export function makeSmallFiles(folder: string, count: number): void {
  const block = blocks()
  const next = generator(7)
  for (let file = 0; file < count; file++) {
    const parent = join(folder, `album-${Math.floor(file / filesInFolder)}`)
    if (file % filesInFolder === 0) mkdirSync(parent, { recursive: true })
    const bytes = next() % (6 * 1024)
    const content = Buffer.concat([block(), block()]).subarray(0, bytes)
    writeFileSync(join(parent, `upload-${file}.bin`), content)
  }
}

/** One file of that many bytes. */
export function makeLargeFile(folder: string, bytes: number): void {
  mkdirSync(folder, { recursive: true })
  const block = blocks()
  const file = openSync(join(folder, 'video.bin'), 'wx')
  for (let written = 0; written < bytes; written += 256 * blockBytes)
    writeSync(file, Buffer.concat(Array.from({ length: 256 }, block)))
  closeSync(file)
}
