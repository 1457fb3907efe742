import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ConnectorFactory, ConnectorSettings } from '../../engine/connector.js'
import { dumpRequest } from '../../testing/connector-contract.js'
import { testContext } from './test-fixture.js'

/** For tests only: programs as they run, to look at and to kill. */

const linux = process.platform === 'linux'

/** For tests that look into /proc; elsewhere they are skipped, by name. */
export const withoutProc = !linux
export const onLinux = (title: string) => (linux ? title : `[needs linux] ${title}`)

/** Larger than what waits in pipes and buffers: a dump of it stops until somebody reads. */
export const largeTable = `CREATE TABLE large AS SELECT i, repeat(md5(i::text), 40) AS t FROM generate_series(1, 40000) i`

/** A dump whose program has been started and is not read yet. */
export async function startedDump(
  factory: ConnectorFactory,
  settings: ConnectorSettings,
): Promise<{ drain(): Promise<number> }> {
  const dump = await factory.create(settings).dump(testContext(), dumpRequest())
  const parts = dump.parts[Symbol.asyncIterator]()
  const first = await parts.next()
  if (first.done === true) throw new Error('the dump has no part')
  return {
    async drain() {
      let bytes = 0
      try {
        for await (const chunk of first.value.bytes) bytes += (chunk as Buffer).length
        await parts.next()
      } finally {
        await parts.return?.()
      }
      return bytes
    },
  }
}

/** Children of this process, by the words of their command lines; Linux alone shows them so. */
export async function childrenNow(): Promise<
  readonly { readonly pid: number; readonly words: readonly string[] }[]
> {
  const found: { pid: number; words: readonly string[] }[] = []
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    if (!status.includes(`PPid:\t${process.pid}\n`)) continue
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line !== '') found.push({ pid, words: line.split('\0') })
  }
  return found
}

/** Waits for a child that runs this program, and does not only say its version. */
export async function childRunning(program: string): Promise<number> {
  for (;;) {
    const child = (await childrenNow()).find(
      ({ words }) => basename(words[0] ?? '') === program && !words.includes('--version'),
    )
    if (child !== undefined) return child.pid
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
