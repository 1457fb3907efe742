import { Writable } from 'node:stream'
import { HoldfastError } from '../errors.js'
import type { CommandLine } from './command.js'

/** Standard output as a target of bytes alone. @throws usage.invalid where text would mix with it, or a terminal would show it */
export function standardOutput(
  { stdout, globals }: CommandLine,
  command: 'backup' | 'files backup' | 'dump',
): Writable {
  if (globals.json)
    throw new HoldfastError('usage.invalid', '--json and --output - both want stdout', {
      hint: 'leave one out',
    })
  if (stdout.isTTY === true) {
    throw new HoldfastError(
      'usage.invalid',
      `stdout is a terminal: a ${command === 'dump' ? 'dump' : 'backup'} is not written to it`,
      {
        hint: `redirect it: holdfast ${command} --output - > FILE`,
      },
    )
  }
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (stdout.destroyed) done(closed())
      else stdout.write(chunk, (error) => done(error === null || error === undefined ? null : closed(error)))
    },
  })
}

function closed(cause?: Error): HoldfastError {
  return new HoldfastError('storage.failed', 'the reader of stdout has closed it', {
    cause,
    hint: 'see what reads the output',
  })
}
