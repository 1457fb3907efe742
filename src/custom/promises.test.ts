import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { Secret } from '../env/secret.js'
import type { ConnectorFactory, ToolSettings } from '../engine/connector.js'
import { dumpRequest, readDump, restoreRequest, restoreSource } from '../testing/connector-contract.js'
import type { CommandConnectorDefinition, ConnectorDefinition } from './definition.js'
import { defineCommandConnector } from './define-command-connector.js'
import { defineConnector } from './define-connector.js'
import { plainTools } from '../testing/plain-tools.js'

async function bench() {
  const folder = await nodeEnv().temporaryDirectory()
  onTestFinished(() => folder.remove())
  const cx: Context = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
  const name = join(folder.path, 'data')
  writeFileSync(name, 'content\n')
  const settings = (tools: Partial<ToolSettings> = {}) => ({
    connection: {
      engine: 'thing',
      name,
      user: 'me',
      password: new Secret('hunter22'),
      parameters: {},
    },
    tools: { ...plainTools, ...tools },
    options: {},
  })
  return {
    folder: folder.path,
    name,
    dump: async (factory: ConnectorFactory, tools?: Partial<ToolSettings>) => {
      const dump = await factory.create(settings(tools)).dump(cx, dumpRequest())
      const [part] = await readDump(dump)
      return { text: part?.bytes.toString() ?? '', warnings: (await dump.facts()).warnings }
    },
    restore: (factory: ConnectorFactory, text: string) =>
      factory
        .create(settings())
        .restore(cx, restoreSource(Buffer.from(text)), restoreRequest({ clean: 'objects' })),
  }
}

const command = (changes: Partial<CommandConnectorDefinition>) =>
  defineCommandConnector({
    name: 'thing-tool',
    engine: 'thing',
    extension: 'txt',
    clean: ['none', 'objects'],
    dump: ({ connection }) => ['cat', connection.name],
    restore: ({ connection }) => ['tee', connection.name],
    ...changes,
  })

describe('a connector that runs a tool', () => {
  it('a tool that fails after its output is no success, and what it said is told', async () => {
    const { dump } = await bench()
    const failing = command({ dump: () => ['sh', '-c', 'echo whole; echo "fatal: disk" >&2; exit 3'] })
    await expect(dump(failing)).rejects.toMatchObject({
      code: 'tool.failed',
      message: 'sh ended with status 3: fatal: disk',
    })
  })

  it('a tool that is missing is told, by its version already', async () => {
    const { dump } = await bench()
    await expect(dump(command({ dump: () => ['no-such-tool'] }))).rejects.toMatchObject({
      code: 'tool.missing',
    })
  })

  it('what a successful tool says is a warning of the backup', async () => {
    const { dump } = await bench()
    const chatty = command({ dump: () => ['sh', '-c', 'echo whole; echo "one row is odd" >&2'] })
    expect(await dump(chatty)).toEqual({ text: 'whole\n', warnings: ['one row is odd'] })
  })

  it('words are words: nothing is run by a shell', async () => {
    const { dump, folder } = await bench()
    const words = [
      '; touch pwned',
      '$(touch pwned)',
      '`touch pwned`',
      '*',
      '~',
      '$HOME',
      '&&',
      '|',
      'a b',
      '',
    ]
    const printed = await dump(command({ dump: () => ['printf', '%s\\n', ...words] }))
    expect(printed.text).toBe(`${words.join('\n')}\n`)
    expect(() => statSync(join(folder, 'pwned'))).toThrow()
  })

  it('prefix, suffix, command and environment of the configuration are heeded', async () => {
    const { dump } = await bench()
    const tool = command({
      dump: () => ({ command: ['printenv', 'ONE'], env: { ONE: 'by the connector', NONE: undefined } }),
    })
    expect((await dump(tool)).text).toBe('by the connector\n')
    expect((await dump(tool, { env: { ONE: 'a' }, dumpEnv: { ONE: 'b' } })).text).toBe('b\n')
    const nice = await dump(command({ dump: () => ['nice'] }), { dumpPrefix: ['nice', '-n', '10'] })
    expect(nice.text).toBe('10\n')
    const echoed = await dump(command({ dump: () => ['false', 'x'] }), {
      dumpCommand: ['echo', 'first'],
      dumpSuffix: ['last'],
    })
    expect(echoed.text).toBe('first x last\n')
  })

  it('FAILURES 71: a password may be a variable or stand in a private file, which is gone afterwards', async () => {
    const { dump } = await bench()
    const byVariable = command({
      dump: ({ connection }) => ({
        command: ['sh', '-c', 'tr "\\0" "\\n" < /proc/$$/cmdline | grep -c \"$PASS\"; echo "${#PASS}"'],
        env: { PASS: connection.password },
      }),
    })
    expect((await dump(byVariable)).text).toBe('0\n8\n')
    let path = ''
    const byFile = command({
      privateFile: ({ connection }) => `password=${connection.password?.reveal() ?? ''}\n`,
      dump: ({ privateFile = '' }) => {
        path = privateFile
        return ['sh', '-c', 'stat -c %a "$1" "$(dirname "$1")"; cat "$1"', 'sh', privateFile]
      },
    })
    expect((await dump(byFile)).text).toBe('600\n700\npassword=hunter22\n')
    expect(() => statSync(path)).toThrow()
    await expect(
      dump(
        command({
          privateFile: () => 'x',
          dump: ({ privateFile = '' }) => {
            path = privateFile
            return ['false']
          },
        }),
      ),
    ).rejects.toMatchObject({ code: 'tool.failed' })
    expect(() => statSync(path)).toThrow()
  })

  it.each([
    [['tool', 'hunter22']],
    [['tool', '--password=hunter22']],
    [['tool', '-phunter22']],
    [['tool', 'thing://me:hunter22@host/name']],
  ] as const)('FAILURES 71: a password among the arguments is refused: %j', async (words) => {
    const { dump } = await bench()
    const refused = expect(dump(command({ dump: () => words }))).rejects
    await refused.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringContaining('thing-tool passes a password to tool') as string,
    })
  })

  it('a restore that fails midway says that it cannot be undone', async () => {
    const { restore } = await bench()
    const failing = command({ restore: () => ['sh', '-c', 'cat > /dev/null; echo "error: no" >&2; exit 1'] })
    await expect(restore(failing, 'text')).rejects.toMatchObject({
      code: 'restore.incomplete',
      message: expect.stringContaining('stopped midway: sh ended with status 1: error: no') as string,
    })
  })
})

const code = (changes: Partial<ConnectorDefinition>) =>
  defineConnector({
    name: 'thing-code',
    engine: 'thing',
    extension: 'txt',
    replacesFile: true,
    dump: () => Readable.from(['bytes']),
    restore: async (_database, dump) => {
      for await (const _chunk of dump);
    },
    ...changes,
  })

describe('a connector in code', () => {
  it('an error is its own, and named', async () => {
    const { dump } = await bench()
    const failing = code({
      async *dump() {
        yield await Promise.resolve('half')
        throw new Error('no luck')
      },
    })
    await expect(dump(failing)).rejects.toMatchObject({
      code: 'connector.failed',
      message: 'the connector thing-code: no luck',
    })
  })

  it('a stream that is closed before its end is no success', async () => {
    const { dump } = await bench()
    const closing = code({
      dump: () => {
        const stream = new PassThrough()
        stream.write('half', () => stream.destroy())
        return stream
      },
    })
    await expect(dump(closing)).rejects.toMatchObject({ code: 'connector.failed' })
  })

  it('a restore that has not read everything is no success, and the old file stays', async () => {
    const { restore, name } = await bench()
    const lazy = code({
      restore: ({ connection }) => {
        writeFileSync(connection.name, 'new')
        return Promise.resolve()
      },
    })
    await expect(restore(lazy, 'text')).rejects.toMatchObject({
      code: 'connector.failed',
      message: 'the connector thing-code has not read the dump to its end',
    })
    expect(readFileSync(name, 'utf8')).toBe('content\n')
  })

  it('a checker of the definition decides what is whole', async () => {
    const { restore, name } = await bench()
    const strict = code({ format: { endsWith: 'the end' } })
    await expect(restore(strict, 'half of the')).rejects.toMatchObject({ code: 'integrity.truncated' })
    expect(readFileSync(name, 'utf8')).toBe('content\n')
    const begins = code({ format: { startsWith: 'once', endsWith: 'the end' } })
    await expect(restore(begins, 'twice the end')).rejects.toMatchObject({ code: 'integrity.format' })
  })
})
