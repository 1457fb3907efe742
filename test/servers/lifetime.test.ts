import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'
import { needsServer } from './needs.js'
import { startPostgresql } from './postgresql.js'
import type { ServerAddress } from './server.js'

const postgresql = needsServer('postgresql')

postgresql.it('a server that does not start fails with the end of its log', async () => {
  await expect(startPostgresql(['no_such_setting=1'])).rejects.toThrow(
    /the server ended while starting; the end of its log:\n.*"no_such_setting"/su,
  )
})

postgresql.it('a killed starter leaves neither server nor folder', async () => {
  const module = JSON.stringify(fileURLToPath(new URL('postgresql.ts', import.meta.url)))
  const starter = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createJiti } from 'jiti'
       const { startPostgresql } = await createJiti(${JSON.stringify(import.meta.url)}).import(${module})
       console.log(JSON.stringify((await startPostgresql()).address))`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'], cwd: dirname(fileURLToPath(import.meta.url)) },
  )
  const [line] = (await once(createInterface({ input: starter.stdout }), 'line')) as [string]
  const { socketDirectory, port } = JSON.parse(line) as ServerAddress
  const socket = join(socketDirectory, `.s.PGSQL.${port}`)
  expect(existsSync(socket)).toBe(true)
  starter.kill('SIGKILL')
  await vi.waitUntil(() => !existsSync(dirname(socketDirectory)), { timeout: 20_000, interval: 50 })
})
