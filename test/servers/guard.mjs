/**
 * Runs one server and ends it, with its folder, when whoever started it is gone: by a clean stop, by Ctrl-C, by SIGKILL. The
 * sign is the end of this process's stdin, which the system closes with the starter whatever befalls it.
 *
 * Arguments: one JSON object `{ program, args, folder, stopSignal, account?: { uid, gid } }`.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const { program, args, folder, stopSignal, account } = JSON.parse(process.argv[2])

const log = openSync(join(folder, 'server.log'), 'a')
const server = spawn(program, args, {
  ...account,
  cwd: folder,
  env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, LC_ALL: 'C', TZ: 'UTC' },
  stdio: ['ignore', log, log],
  windowsHide: true,
})
closeSync(log)

let stopping = false
server.once('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
server.once('close', (status) => {
  // A server that ends by itself leaves its folder, so that its log can be shown; the starter removes it then.
  if (stopping) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  process.exit(stopping ? 0 : (status ?? 1) || 1)
})

function stop() {
  if (stopping) return
  stopping = true
  server.kill(stopSignal)
  setTimeout(() => server.kill('SIGKILL'), 5_000)
}

// The terminal sends its signals to every process at once; only the end of stdin counts here.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)
process.stdin.once('end', stop)
process.stdin.once('error', stop)
process.stdin.resume()
