import type { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { needsTool } from '../../test/servers/needs.js'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { readTool } from './run.js'

const context: Context = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }

async function textOf(stdout: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stdout) text += String(chunk)
  return text
}

needsTool('stdbuf', 'seq').it('a program that writes in small pieces is given a larger buffer', async () => {
  const written = async (call: { readonly smallWrites?: true }) => {
    // The kernel's count of the shell's writes includes those of its children that have ended.
    const script = 'seq 300000; cat /proc/$$/io >&2'
    const { stdout, finished } = readTool(context, { program: 'bash', args: ['-c', script], ...call })
    expect((await textOf(stdout)).length).toBe(1_988_895)
    const { messages } = await finished
    return Number(/syscw: (\d+)/u.exec(messages.join('\n'))?.[1])
  }
  const [small, large] = [await written({}), await written({ smallWrites: true })]
  expect(small).toBeGreaterThan(400)
  expect(large).toBeLessThan(small / 10)
})

it('messages name the program itself', async () => {
  const failing = readTool(context, { program: 'sh', args: ['-c', 'exit 3'], smallWrites: true })
  await expect(textOf(failing.stdout)).rejects.toMatchObject({
    message: expect.stringMatching(/^sh /u) as string,
  })
  const missing = readTool(context, { program: 'no-such-program', args: [], smallWrites: true })
  await expect(textOf(missing.stdout)).rejects.toMatchObject({
    code: 'tool.missing',
    message: 'no-such-program is not installed',
  })
})
