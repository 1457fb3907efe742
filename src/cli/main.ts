#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { nodeEnv } from '../env/node-env.js'
import { run } from './run.js'

// A reader that has seen enough (`holdfast list | head`) closes the pipe: that is no error of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

// The client of S3 would tell every user of Node 20, on every run, of the day when its next versions need Node 22.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

// V8 lets the heap grow up to fourfold between two collections, whatever streams through it. By half is enough.
setFlagsFromString('--heap-growing-percent=50')

const code = await run(process.argv.slice(2), {
  env: nodeEnv(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  exitNow: (exitCode) => process.exit(exitCode),
})
// What was written has to be out before the process ends: pipes are asynchronous. Whoever interrupted it does not wait for a
// reader that may have stopped reading.
const interrupted = code > 128
const streams = interrupted ? [] : [process.stdout, process.stderr]
await Promise.all(streams.map((stream) => new Promise((resolve) => stream.write('', resolve))))
process.exit(code)
