/**
 * A program of its own that watches over whoever has started a server for a while: when that process is gone, by a clean end, by
 * Ctrl-C, by SIGKILL, the server ends too, and its folder with it where that was made for it. The sign is the end of stdin, which
 * the system closes with the starter whatever befalls it.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { readRecord, runs, type ProcessRecord } from '../../process/background.js'
import { recordFile, stopServer } from '../launch.js'
import type { GuardOrder } from './guard.js'

/** Between the start of a program and its note of itself the starter may have been killed. */
const noteMs = 2_000

const { folder, signal, remove } = JSON.parse(process.argv[3] ?? '') as GuardOrder
let last: ProcessRecord | undefined
/** The starter is there, and done: nothing is started any more. */
let isDone = false

// The terminal sends its signals to every process at once; only the end of stdin counts here.
for (const ignored of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(ignored, () => undefined)
process.stdin.on('data', (data: Buffer) => {
  if (data.includes('dismissed')) process.stdin.destroy()
  if (data.includes('done')) isDone = true
  // Whoever removes the folder meanwhile removes the note with it.
  void readRecord(recordFile(folder)).then((record) => {
    last = record ?? last
  })
})
process.stdin.once('end', () => void finish())
process.stdin.once('error', () => void finish())

async function finish(): Promise<void> {
  const until = performance.now() + noteMs
  while (!isDone && last === undefined && existsSync(folder) && performance.now() < until) {
    last = await readRecord(recordFile(folder))
    if (last === undefined) await delay(20)
  }
  await stopServer(folder, signal)
  if (last !== undefined && (await runs(last))) process.kill(last.pid, 'SIGKILL')
  if (remove) await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}
