import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it, vi } from 'vitest'
import { serverFolder, startServer } from './server.js'

const program = (source: string) => ({
  program: process.execPath,
  args: ['-e', source],
  stopSignal: 'SIGKILL' as const,
})

async function answers(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return 'yes'
  } finally {
    socket.destroy()
  }
}

it('a server that does not start fails with the end of its log', async () => {
  const folder = await serverFolder('test', undefined)
  try {
    const start = startServer({
      folder,
      account: undefined,
      command: () => program("console.error('no such setting'); process.exit(1)"),
      ask: answers,
    })
    await expect(start).rejects.toThrow(
      /the server ended while starting; the end of its log:\n.*no such setting/su,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

it('a killed starter leaves neither server nor folder', async () => {
  const module = JSON.stringify(fileURLToPath(new URL('server.ts', import.meta.url)))
  const starter = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createJiti } from 'jiti'
       import { connect } from 'node:net'
       import { once } from 'node:events'
       const { serverFolder, startServer } = await createJiti(${JSON.stringify(import.meta.url)}).import(${module})
       const folder = await serverFolder('test', undefined)
       const listen = "require('node:net').createServer().listen(Number(process.argv[1]), '127.0.0.1')"
       const { port } = await startServer({
         folder,
         command: (port) => ({ program: process.execPath, args: ['-e', listen, String(port)], stopSignal: 'SIGKILL' }),
         ask: async (port) => void (await once(connect(port, '127.0.0.1').unref(), 'connect')),
       })
       setInterval(() => undefined, 60_000)
       console.log(JSON.stringify([folder, port]))`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: dirname(fileURLToPath(import.meta.url)) },
  )
  const [line] = (await once(createInterface({ input: starter.stdout }), 'line')) as [string]
  const [folder, port] = JSON.parse(line) as [string, number]
  expect([existsSync(folder), await answers(port)]).toEqual([true, 'yes'])
  starter.kill('SIGKILL')
  await vi.waitUntil(() => !existsSync(folder), { timeout: 20_000, interval: 50 })
  await expect(answers(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
