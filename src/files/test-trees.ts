import { execFileSync } from 'node:child_process'
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Context } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { connect } from '../streams/connect.js'
import type { Examined, ExtractInput, Unpacked } from './program/protocol.js'
import { examineArchive, packFolder, unpackArchive, type ArchiveFacts } from './tools.js'

/** The real machine. */
export function testContext(signal = new AbortController().signal): Context {
  return { env: nodeEnv(), signal, emit: () => undefined }
}

/** A folder of the test's own, removed when the test ends. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-files-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Writes the archive of a folder to a file. */
export async function packTo(
  file: string,
  source: string,
  patterns: { readonly include?: readonly string[]; readonly exclude?: readonly string[] } = {},
): Promise<ArchiveFacts> {
  const cx = testContext()
  const archive = packFolder(cx, { source, include: [], exclude: [], ...patterns })
  await connect([archive.bytes, createWriteStream(file)], cx.signal)
  return archive.facts
}

const defaults = { onConflict: 'error', only: [], linksOut: false, fresh: false, token: 'test' } as const

export function examine(file: string, target: string, input: Partial<ExtractInput> = {}): Promise<Examined> {
  return examineArchive(testContext(), { ...defaults, target, ...input }, createReadStream(file))
}

export function unpack(file: string, target: string, input: Partial<ExtractInput> = {}): Promise<Unpacked> {
  return unpackArchive(testContext(), { ...defaults, target, ...input }, createReadStream(file))
}

/** Everything in a folder: by its bytes' name, what it is, what it holds, mode, time in microseconds, and with what it shares its file. */
export function treeOf(folder: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {}
  const firstNames = new Map<bigint, string>()
  const walk = (at: Buffer, prefix: string) => {
    for (const name of readdirSync(at, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))) {
      const path = Buffer.concat([at, Buffer.from('/'), name])
      const shown = prefix + name.toString('latin1')
      const stats = lstatSync(path, { bigint: true })
      const mode = stats.isSymbolicLink() ? '' : (Number(stats.mode) & 0o7777).toString(8)
      const common = `${mode} ${stats.mtimeNs / 1000n}`
      if (stats.isDirectory()) {
        found[`${shown}/`] = common
        walk(path, `${shown}/`)
      } else if (stats.isSymbolicLink()) {
        found[shown] = `-> ${readlinkSync(path, { encoding: 'buffer' }).toString('latin1')} ${common}`
      } else {
        const first = firstNames.get(stats.ino) ?? shown
        firstNames.set(stats.ino, first)
        const content = stats.isFile() ? readFileSync(path).toString('base64') : 'special'
        found[shown] = `${content} ${common}${first === shown ? '' : ` = ${first}`}`
      }
    }
  }
  walk(Buffer.from(folder), '')
  return found
}

export function sh(folder: string, script: string): string {
  return execFileSync('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    encoding: 'latin1',
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
