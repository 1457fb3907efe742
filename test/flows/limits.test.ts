import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { needsBuild } from '../servers/needs.js'
import { contentOf, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

it('maxRate: a dump leaves its database, and comes back, at no more than that', async () => {
  const folder = await testFolder()
  const path = join(folder, 'shop.sqlite3')
  makeShop(path, 4_000)
  const databases = { shop: 'sqlite:./shop.sqlite3' }
  const free = await holdfastIn(folder, { databases, storages: { main: './backups' } })
  const { id, plainBytes } = resultOf(await free.backup())
  const rate = Math.round(plainBytes / 1000)
  const hf = await holdfastIn(folder, {
    databases,
    storages: { main: './backups' },
    maxRate: `${rate}kB/s`,
  })
  // One second at that rate; the first tenth of it passes at once.
  expect(await secondsOf(async () => resultOf(await hf.backup()))).toBeGreaterThan(0.85)
  const content = contentOf(path)
  const copy = join(folder, 'copy.sqlite3')
  const restore = () => hf.restore({ backup: id, to: `sqlite:${copy}`, create: true, confirm: true })
  expect(await secondsOf(restore)).toBeGreaterThan(0.85)
  expect(contentOf(copy)).toBe(content)
})

it.each([
  ['fast', 'maxRate (the configuration) is fast, not a rate such as 20MB/s or 512KiB/s'],
  ['20MB', 'maxRate (the configuration) is 20MB, not a rate such as 20MB/s or 512KiB/s'],
])('maxRate: %s is refused, naming the setting', async (maxRate, message) => {
  await expect(holdfastIn(await testFolder(), { maxRate })).rejects.toMatchObject({
    code: 'config.invalid',
    message,
  })
})

const measuring = `data:text/javascript,process.on('exit',()=>console.error('most memory: '+process.resourceUsage().maxRSS))`

needsBuild().it('memoryLimit: a backup takes no more than that, at a level that would', async () => {
  const folder = await testFolder()
  makeShop(join(folder, 'shop.sqlite3'), 40_000)
  writeFileSync(join(folder, 'holdfast.config.json'), '{"databases":{"shop":"sqlite:./shop.sqlite3"}}')
  const args = ['--import', measuring, program, 'backup', '--compress', 'zstd:15', '--memory-limit', '250MB']
  const { stderr } = await promisify(execFile)(process.execPath, args, { cwd: folder })
  const kibibytes = Number(/most memory: (\d+)/u.exec(stderr)?.[1])
  expect(kibibytes * 1024).toBeLessThan(250e6)
})

it.each([
  [{ memoryLimit: '200' }, 'memoryLimit (the configuration) is 200, not a size such as 256MB or 1GiB'],
  [
    { memoryLimit: '200MB', compress: 'zstd:19' },
    'memoryLimit (the configuration) is 200MB; a backup with compress (the configuration) takes up to 281MB',
  ],
])('memoryLimit: %j is refused before anything starts, naming the settings', async (settings, message) => {
  const folder = await testFolder()
  makeShop(join(folder, 'shop.sqlite3'))
  const databases = { shop: 'sqlite:./shop.sqlite3' }
  const backup = async () => (await holdfastIn(folder, { databases, ...settings })).backup()
  await expect(backup()).rejects.toMatchObject({ code: 'config.invalid', message })
})
