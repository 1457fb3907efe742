import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { HoldfastError } from '../errors.js'
import { connect } from '../streams/connect.js'
import { filterTool } from './run.js'

function context(signal: AbortSignal = new AbortController().signal): Context {
  return { env: nodeEnv(), signal, emit: () => undefined }
}

const script = (code: string) => ({ program: process.execPath, args: ['-e', code] })

describe('a program that is a filter', () => {
  it('turns what it is fed into what is read', async () => {
    const data = randomBytes(5_000_000)
    const { stdin, stdout } = filterTool(context(), { program: 'cat', args: [] })
    const [output] = await Promise.all([
      buffer(stdout),
      connect([Readable.from([data]), stdin], context().signal),
    ])
    expect(createHash('sha256').update(output).digest('hex')).toBe(
      createHash('sha256').update(data).digest('hex'),
    )
  })

  it('FAILURES 2: fails on both ends when the program ends with an error after its output', async () => {
    const { stdin, stdout } = filterTool(context(), {
      program: 'sh',
      args: ['-c', 'cat; echo "error: bad" >&2; exit 3'],
    })
    const feeding = connect([Readable.from([Buffer.alloc(100_000)]), stdin], context().signal)
    const failure = { code: 'tool.failed', details: { status: 3 } }
    await Promise.all([
      expect(buffer(stdout)).rejects.toMatchObject(failure),
      expect(feeding).rejects.toMatchObject(failure),
    ])
  })

  it('an input that fails ends the program, and its output does not end well', async () => {
    const { stdin, stdout, finished } = filterTool(context(), { program: 'cat', args: [] })
    const broken = Readable.from(
      (function* () {
        yield Buffer.alloc(1000)
        throw new HoldfastError('integrity.checksum', 'bytes differ')
      })(),
    )
    await Promise.all([
      expect(buffer(stdout)).rejects.toMatchObject({ code: 'tool.failed' }),
      expect(connect([broken, stdin], context().signal)).rejects.toMatchObject({
        code: 'integrity.checksum',
      }),
    ])
    await expect(finished).rejects.toMatchObject({ details: { signal: 'SIGKILL' } })
  })

  it('FAILURES 6: an abort ends the program', async () => {
    const controller = new AbortController()
    const { stdin, stdout } = filterTool(context(controller.signal), script('process.stdin.resume()'))
    const reason = new HoldfastError('interrupted.sigterm', 'terminated')
    const endless = new Readable({ read: () => undefined })
    const ended = Promise.all([
      expect(buffer(stdout)).rejects.toBe(reason),
      expect(connect([endless, stdin], context().signal)).rejects.toBe(reason),
    ])
    controller.abort(reason)
    await ended
  })

  it('a program that is missing is said on both ends', async () => {
    const { stdin, stdout } = filterTool(context(), { program: 'holdfast-no-such-tool', args: [] })
    const missing = { code: 'tool.missing' }
    await Promise.all([
      expect(buffer(stdout)).rejects.toMatchObject(missing),
      expect(connect([Readable.from([Buffer.alloc(10)]), stdin], context().signal)).rejects.toMatchObject(
        missing,
      ),
    ])
  })
})
