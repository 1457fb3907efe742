// Preloaded into Holdfast's SQLite program: it is killed right before the HOLDFAST_TEST_KILL_AT-th of its calls that change files.
import { createRequire, syncBuiltinESMExports } from 'node:module'

const files = createRequire(import.meta.url)('node:fs/promises')
let left = Number(process.env['HOLDFAST_TEST_KILL_AT'])

for (const name of ['link', 'rename', 'rm', 'chmod', 'chown', 'writeFile', 'copyFile']) {
  const work = files[name]
  files[name] = (...args) => {
    if (--left === 0) process.kill(process.pid, 'SIGKILL')
    return work(...args)
  }
}
syncBuiltinESMExports()
