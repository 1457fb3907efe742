/**
 * `put FILE KEY` and `get KEY FILE`: what the storage does with one object, in a process of its own. Its settings are in
 * HOLDFAST_BENCH_S3.
 */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { s3Driver } = await jiti.import('../../src/storages/s3/driver.ts')
const { nodeEnv } = await jiti.import('../../src/env/node-env.ts')
const { fileChunks } = await jiti.import('../../src/streams/file-chunks.ts')

const [verb, from, to] = process.argv.slice(2)
const cx = {
  env: nodeEnv(),
  signal: new AbortController().signal,
  emit: (event) => console.error(event.message),
}
const settings = JSON.parse(process.env.HOLDFAST_BENCH_S3)
const storage = await s3Driver.open(settings, { name: 'bench', baseDirectory: process.cwd() })
if (verb === 'put') await storage.put(cx, to, fileChunks(from))
else await pipeline(await storage.get(cx, from), createWriteStream(to, { highWaterMark: 1024 * 1024 }))
await storage.close()
