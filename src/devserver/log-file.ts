import { open, rename, stat } from 'node:fs/promises'

const longestBytes = 10 * 1024 * 1024
const tailBytes = 64 * 1024

/** How long the log is before a start: what comes after it is of this run. A very long log gives way to a new one. */
export async function beginLog(file: string): Promise<number> {
  const size = await sizeOf(file)
  if (size <= longestBytes) return size
  await rename(file, `${file}.1`)
  return 0
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0
}

/** The last lines after `from` bytes; none where there is no log. */
export async function tailOfLog(file: string, lines: number, from = 0): Promise<readonly string[]> {
  const size = await sizeOf(file)
  const { text } = await readFrom(file, Math.max(from, size - Math.max(tailBytes, lines * 400)))
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-lines)
}

/** What the log holds after `from` bytes, and where it ends. */
export async function readFrom(
  file: string,
  from: number,
): Promise<{ readonly text: string; readonly end: number }> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return { text: '', end: 0 }
  try {
    const { size } = await handle.stat()
    // Shorter than before: another one has taken its place.
    const start = size < from ? 0 : from
    const buffer = Buffer.alloc(size - start)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
    return { text: buffer.toString('utf8', 0, bytesRead), end: start + bytesRead }
  } finally {
    await handle.close()
  }
}
