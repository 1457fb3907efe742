import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { makeShop, testFolder } from '../flows/workbench.js'
import { needsBuild, type Need } from '../servers/needs.js'

/** Another build than the one in dist/ may be named. */
export const program =
  process.env['HOLDFAST_CLI'] ?? fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** The built command line. */
export const built: Need = needsBuild()

export interface Ended {
  /** `null` where a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Setting {
  readonly cwd: string
  readonly variables?: Readonly<Record<string, string>>
  /** What is written to stdin; nothing by default. */
  readonly input?: string | Buffer
}

/** Starts the command line as a program of its own, with no variables but PATH and those given. */
export function start(args: readonly string[], { cwd, variables = {} }: Setting): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], TZ: 'UTC', ...variables },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

/** Runs it to its end. */
export async function holdfast(args: readonly string[], setting: Setting): Promise<Ended> {
  const child = start(args, setting)
  const stdout = collect(child, 'stdout')
  const stderr = collect(child, 'stderr')
  child.stdin?.end(setting.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: stdout(), stderr: stderr() }
}

/** What has come out so far. */
export function collect(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  const chunks: Buffer[] = []
  child[stream]?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

/** The document of a command with `--json`; whatever else is on stdout is an error. */
export function documentOf({ stdout }: Ended): Document {
  return JSON.parse(stdout) as Document
}

export type Document = Readonly<Record<string, unknown>> & {
  readonly holdfast: number
  readonly command: string
  readonly error?: { readonly code: string; readonly message: string; readonly exit: number }
}

/** A folder with the database shop.sqlite3 and a configuration of it, which may be extended. */
export async function project(config: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = await testFolder()
  makeShop(join(folder, 'shop.sqlite3'), 50)
  const whole = { databases: { shop: 'sqlite:./shop.sqlite3' }, serverName: 'test', ...config }
  writeFileSync(join(folder, 'holdfast.config.json'), JSON.stringify(whole))
  return folder
}

/** Waits until a running program has done something. */
export async function until(child: ChildProcess, condition: () => boolean): Promise<void> {
  while (!condition()) {
    if (child.exitCode !== null)
      throw new Error(`the backup ended with ${child.exitCode} before it was interrupted`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
