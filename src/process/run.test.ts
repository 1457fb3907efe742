import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { Secret } from '../env/secret.js'
import { HoldfastError } from '../errors.js'
import { connect } from '../streams/connect.js'
import { feedTool, readTool, runTool } from './run.js'

const node = process.execPath
/** On Windows, output comes through a pipe of Node's; elsewhere through a connection of our own. */
let platform = process.platform
const context = (signal = new AbortController().signal): Context => ({
  env: { ...nodeEnv(), platform },
  signal,
  emit: () => undefined,
})
const script = (code: string) => ({ program: node, args: ['-e', code] })

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe.each(['linux', 'win32'] as const)('a program that is read, as on %s', (as) => {
  beforeAll(() => {
    platform = as
  })
  afterAll(() => {
    platform = process.platform
  })

  it('gives all bytes, in large chunks', async () => {
    const { stdout, finished } = readTool(
      context(),
      script(`for (let i = 0; i < 400; i++) process.stdout.write(Buffer.alloc(10_000, i))`),
    )
    const sizes: number[] = []
    for await (const chunk of stdout) sizes.push((chunk as Buffer).length)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(4_000_000)
    expect(sizes.length).toBeLessThan(6)
    expect((await finished).messages).toEqual([])
  })

  it('gives what came before its end, however late it is read', async () => {
    const { stdout, finished } = readTool(context(), {
      program: 'sh',
      args: ['-c', 'head -c 150000 /dev/zero'],
    })
    await finished
    expect((await readAll(stdout)).length).toBe(150_000)
  })

  it('ends when nobody reads it any more', async () => {
    const { stdout, finished } = readTool(
      context(),
      script(`console.log('x'.repeat(5e6)); setInterval(() => {}, 1000)`),
    )
    await once(stdout, 'readable')
    stdout.destroy()
    await expect(finished).rejects.toMatchObject({ code: 'tool.failed' })
  })

  it('that has ended is no reason to wait when nobody reads what it said', async () => {
    const { stdout, finished } = readTool(context(), { program: 'sh', args: ['-c', 'echo done'] })
    await finished
    stdout.destroy()
    await once(stdout, 'close')
  })

  it('FAILURES 2: never ends cleanly when the status is 1 after plausible output', async () => {
    for (let attempt = 0; attempt < 25; attempt++) {
      const { stdout } = readTool(context(), {
        program: 'sh',
        args: ['-c', 'echo plausible; echo "error: disk on fire" >&2; exit 1'],
      })
      await expect(readAll(stdout)).rejects.toMatchObject({
        code: 'tool.failed',
        message: 'sh ended with status 1: error: disk on fire',
      })
    }
  })

  it('the message is what was wrong, and not the hint after it', async () => {
    const said = 'echo "x: unrecognized option --y" >&2; echo "x: hint: Try x --help" >&2; exit 1'
    const { finished } = readTool(context(), { program: 'sh', args: ['-c', said] })
    await expect(finished).rejects.toMatchObject({
      message: 'sh ended with status 1: x: unrecognized option --y',
    })
  })

  it('FAILURES 1: a program killed midway is an error', async () => {
    const { stdout } = readTool(
      context(),
      script(`process.stdout.write('half', () => process.kill(process.pid, 'SIGKILL'))`),
    )
    await expect(readAll(stdout)).rejects.toMatchObject({
      code: 'tool.failed',
      details: { signal: 'SIGKILL' },
    })
  })

  it('a program that fails before anybody reads it is an error to whoever begins', async () => {
    const { stdout, finished } = readTool(context(), { program: 'false', args: [] })
    await expect(finished).rejects.toMatchObject({ code: 'tool.failed' })
    await expect(readAll(stdout)).rejects.toMatchObject({ code: 'tool.failed' })
  })

  it('a word that no program can be given is an error, and leaves nothing open', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => /Pipe|Socket/u.test(name)).length
    const before = sockets()
    const { stdout } = readTool(context(), { program: 'echo', args: ['a\0b'] })
    await expect(readAll(stdout)).rejects.toThrow(/null bytes/u)
    await expect.poll(sockets).toBeLessThanOrEqual(before)
  })

  it('names a program that is not installed', async () => {
    await expect(runTool(context(), { program: 'holdfast-no-such-tool', args: [] })).rejects.toMatchObject({
      code: 'tool.missing',
      message: 'holdfast-no-such-tool is not installed',
    })
  })

  it('FAILURES 8: ends a program that hangs after the timeout', async () => {
    await expect(
      runTool(context(), { ...script('setInterval(() => {}, 1000)'), timeoutMs: 200 }),
    ).rejects.toMatchObject({ code: 'tool.timeout' })
  })

  it('FAILURES 6: an abort ends the program and gives the reason', async () => {
    const controller = new AbortController()
    const { stdout } = readTool(
      context(controller.signal),
      script(`console.log(process.pid); setInterval(() => {}, 1000)`),
    )
    const reason = new HoldfastError('interrupted.sigterm', 'terminated')
    setTimeout(() => controller.abort(reason), 100)
    await expect(readAll(stdout)).rejects.toBe(reason)
  })

  it('FAILURES 6: an abort does not wait for what the program has started', async () => {
    const controller = new AbortController()
    const { stdout, finished } = readTool(context(controller.signal), {
      program: 'sh',
      args: ['-c', 'echo started >&2; sleep 30; echo never'],
    })
    const before = performance.now()
    setTimeout(() => controller.abort(new HoldfastError('interrupted.sigint', 'interrupted')), 200)
    await expect(readAll(stdout)).rejects.toMatchObject({ code: 'interrupted.sigint' })
    await expect(finished).rejects.toMatchObject({ code: 'interrupted.sigint' })
    expect(performance.now() - before).toBeLessThan(10_000)
  })

  it('FAILURES 9: a slow reader holds the program back', async () => {
    const { stdout } = readTool(
      context(),
      script(
        `let n = 0; const b = Buffer.alloc(65536); (function go() { while (n++ < 4000) if (!process.stdout.write(b)) return process.stdout.once('drain', go) })()`,
      ),
    )
    const before = process.memoryUsage.rss()
    let bytes = 0
    for await (const chunk of stdout) {
      bytes += (chunk as Buffer).length
      if (bytes < 20e6) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(bytes).toBe(4000 * 65536)
    expect(process.memoryUsage.rss() - before).toBeLessThan(120e6)
  })

  it('FAILURES 4: messages are kept, secrets in them are not', async () => {
    const report = await runTool(context(), {
      program: 'sh',
      args: ['-c', 'echo "warning: password hunter22 is weak" >&2'],
      secrets: [new Secret('hunter22')],
    })
    expect(report.messages).toEqual(['warning: password *** is weak'])
  })

  it('FAILURES 71: a variable that holds a secret of the call is not handed on', async () => {
    process.env['TEST_DATABASE_URL'] = 'postgres://me:hunter22@host/db'
    try {
      const { stdout } = await runTool(context(), {
        ...script('console.log(JSON.stringify(process.env))'),
        secrets: [new Secret('hunter22')],
        env: { ADDED: 'yes' },
      })
      const seen = JSON.parse(stdout) as Record<string, string>
      expect(seen['ADDED']).toBe('yes')
      expect(seen['PATH']).toBe(process.env['PATH'])
      expect(stdout).not.toContain('hunter22')
    } finally {
      delete process.env['TEST_DATABASE_URL']
    }
  })

  it('inherits nothing but PATH where told so', async () => {
    const { stdout } = await runTool(context(), {
      ...script('console.log(Object.keys(process.env).filter(k => !k.startsWith("__")).join())'),
      inheritEnv: false,
      env: { MINE: '1' },
    })
    expect(stdout.trim().split(',').sort()).toEqual(['MINE', 'PATH'])
  })
})

describe('a program that is fed', () => {
  it('finishes after the program has ended with status 0', async () => {
    const { stdin, finished } = feedTool(context(), {
      program: 'sh',
      args: ['-c', 'cat > /dev/null; sleep 0.2; echo seen all >&2'],
    })
    await connect([Readable.from([Buffer.alloc(100_000)]), stdin], context().signal)
    expect((await finished).messages).toEqual(['seen all'])
  })

  it('fails with the status of the program, not with EPIPE', async () => {
    const { stdin } = feedTool(context(), {
      program: 'sh',
      args: ['-c', 'echo "error: no room" >&2; exit 3'],
    })
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(65_536)
      })(),
    )
    await expect(connect([endless, stdin], context().signal)).rejects.toMatchObject({
      code: 'tool.failed',
      details: { status: 3 },
    })
  })

  it('reads the rest when the program ends well before the end of input', async () => {
    const { stdin } = feedTool(context(), { program: 'true', args: [] })
    let given = 0
    const source = Readable.from(
      (function* () {
        for (; given < 50; given++) yield Buffer.alloc(65_536)
      })(),
    )
    await connect([source, stdin], context().signal)
    expect(given).toBe(50)
  })

  it('kills the program before it can take half an input for a whole one', async () => {
    const env = nodeEnv()
    const folder = await env.temporaryDirectory()
    const marker = await folder.writeFile('marker', '')
    const { stdin } = feedTool(context(), {
      program: 'sh',
      args: ['-c', `cat > /dev/null; echo committed > '${marker}'`],
    })
    const broken = new Readable({ read() {} })
    broken.push('first half')
    setTimeout(() => broken.destroy(new HoldfastError('integrity.checksum', 'bytes differ')), 100)
    await expect(connect([broken, stdin], context().signal)).rejects.toMatchObject({
      code: 'integrity.checksum',
    })
    expect(readFileSync(marker, 'utf8')).toBe('')
    await folder.remove()
  })
})

it('a destination that fails ends the program', async () => {
  const { stdout, finished } = readTool(
    context(),
    script(`setInterval(() => process.stdout.write(Buffer.alloc(1e6)), 1)`),
  )
  const full = new Writable({
    write: (_chunk, _encoding, done) => done(new HoldfastError('storage.full', 'no space')),
  })
  await expect(connect([stdout, full], context().signal)).rejects.toMatchObject({ code: 'storage.full' })
  await expect(finished).rejects.toMatchObject({ code: 'tool.failed' })
})
