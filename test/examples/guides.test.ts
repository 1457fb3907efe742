import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, describe, expect } from 'vitest'
import type { TemporaryDirectory } from '../../src/env/env.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { filesBelow, makeShop } from '../flows/workbench.js'
import { needsAll, needsBuild, needsServer, needsTool } from '../servers/needs.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const guides = join(root, 'docs/guides')
/** Programs that a guide uses beside Node and Holdfast. */
const tools: Readonly<Record<string, readonly string[]>> = {
  'connectors.md': ['sqlite3'],
  'development-databases.md': ['psql', 'grep'],
  'encryption.md': ['age', 'age-keygen', 'gpg', 'grep', 'zstd'],
  'files.md': ['tar', 'zstd', 'diff'],
  'portable.md': ['sed', 'grep'],
  'proof.md': ['grep', 'tee'],
  'signing.md': ['openssl', 'grep'],
  'recover-by-hand.md': ['age', 'age-keygen', 'zstd', 'sqlite3'],
}
const tellFailure = `trap 'echo "this failed: $BASH_COMMAND" >&2' ERR`
/** Packages that a guide imports beside Holdfast. */
const packages = ['@photostructure/sqlite', 'age-encryption', 'nodemailer', 'smtp-server']

const folders: TemporaryDirectory[] = []
afterAll(() => Promise.all(folders.map((folder) => folder.remove())))

// They wait for many programs each, and so wait together.
describe.concurrent('the guides', () => {
  for (const name of readdirSync(guides)) {
    const server = name === 'development-databases.md' ? [needsServer('postgresql')] : []
    needsAll(needsBuild(), needsTool('bash', ...(tools[name] ?? [])), ...server).it(
      `${name} does what it says`,
      async () => {
        const folder = await projectFolder()
        await run(folder, scriptOf(readFileSync(join(guides, name), 'utf8'), folder))
      },
      300_000,
    )
  }
})

describe('the README', () => {
  needsBuild().it('its program does what it says, and its configuration is one', async () => {
    const folder = await projectFolder()
    makeShop(join(folder, 'app.db'))
    const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n(.*?)^```/gmsu)].map(
      ([, code = '']) => code,
    )
    const [config, program, ...others] = blocks
    expect([config, program, others.length]).toEqual([expect.any(String), expect.any(String), 0])
    writeFileSync(join(folder, 'program.ts'), program ?? '')
    await run(folder, 'jiti program.ts')
    expect(filesBelow(join(folder, 'backups')).length).toBe(2)
    const file = join(folder, 'holdfast.config.ts')
    const backup = 'DATABASE_URL=sqlite:./app.db holdfast backup --output out.age'
    writeFileSync(file, config ?? '')
    // As it stands it encrypts to nobody; whose key it is has to be filled in.
    await expect(run(folder, backup)).rejects.toThrow('age recipient 1 is not a whole public key')
    const recipient = await identityToRecipient(await generateX25519Identity())
    writeFileSync(file, config?.replace('age1…', recipient) ?? '')
    await run(folder, `${backup}; test -s out.age`)
  })
})

/** The blocks of a guide in their order: programs become files, commands are run. */
function scriptOf(guide: string, folder: string): string {
  const commands: string[] = []
  for (const [, language, code = ''] of guide.matchAll(/^```(sh|ts)\n(.*?)^```/gmsu)) {
    const file = /^\/\/ file: (\S+)\n/u.exec(code)?.[1]
    if (language === 'sh') commands.push(code)
    else if (file !== undefined) {
      const source = join(folder, `${commands.length}-${file}`)
      writeFileSync(source, code)
      commands.push(`mv '${source}' '${file}'`)
    }
  }
  return commands.join('\n')
}

/** A folder in which Holdfast is installed, as far as Node and the shell can see. */
async function projectFolder(): Promise<string> {
  const made = await nodeEnv().temporaryDirectory()
  folders.push(made)
  const folder = made.path
  // A server that is started by root runs as another account.
  chmodSync(folder, 0o711)
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
  mkdirSync(join(folder, 'node_modules/@photostructure'))
  symlinkSync(root, join(folder, 'node_modules/holdfast'))
  for (const name of packages)
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  symlinkSync(join(root, 'node_modules/.bin/jiti'), join(folder, 'node_modules/.bin/jiti'))
  const shim = join(folder, 'node_modules/.bin/holdfast')
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'dist/cli/main.js')}' "$@"\n`)
  chmodSync(shim, 0o755)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  return folder
}

/** @throws with what was said on stderr, and the command that failed */
async function run(folder: string, script: string): Promise<void> {
  const { DATABASE_URL: _, ...env } = process.env
  const running = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', `${tellFailure}\n${script}`], {
    cwd: folder,
    maxBuffer: 16 * 1024 ** 2,
    env: { ...env, PATH: `${join(folder, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}` },
  })
  running.child.stdin?.end()
  await running
}
