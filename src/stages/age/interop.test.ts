import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, expect } from 'vitest'
import { needsAll, needsTool } from '../../../test/servers/needs.js'
import { nodeEnv } from '../../env/node-env.js'
import { Secret } from '../../env/secret.js'
import { randomData, rowData, StageBench } from '../../testing/stage-bench.js'
import type { KeyRing } from '../stage.js'
import { age, type AgeSettings } from './stage.js'

const folder = await nodeEnv().temporaryDirectory()
afterAll(() => folder.remove())

const identities = [await generateX25519Identity(), await generateX25519Identity()]
const recipients = await Promise.all(identities.map((identity) => identityToRecipient(identity)))
const [recipient = ''] = recipients
const identityFile = await folder.writeFile('identity.txt', `# created: today\n${identities[0]}\n`)

const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 3_000_000]
const program = (args: readonly string[], input: Buffer) =>
  execFileSync('age', args, { input, maxBuffer: 2 ** 30 })

function ring(identityTexts: readonly string[], passphrase?: string): KeyRing {
  return {
    identities: () =>
      Promise.resolve(identityTexts.map((text) => ({ source: 'key.txt', text: new Secret(text) }))),
    passphrase: () => Promise.resolve(passphrase === undefined ? undefined : new Secret(passphrase)),
  }
}

function bench(settings: AgeSettings | undefined, keys: KeyRing): StageBench {
  return new StageBench(age.create(settings, keys))
}

needsTool('age').describe('with the age program', () => {
  const { it } = needsTool('age')

  it('it decrypts what is written here', async () => {
    for (const bytes of sizes) {
      const encoded = await bench({ recipients: [recipient] }, ring([])).encode(randomData(bytes))
      expect(program(['-d', '-i', identityFile], encoded.bytes).equals(randomData(bytes))).toBe(true)
    }
  })

  it('each of several recipients decrypts it', async () => {
    const data = rowData(100_000)
    const { bytes } = await bench({ recipients }, ring([])).encode(data)
    expect(program(['-d', '-i', identityFile], bytes).equals(data)).toBe(true)
    for (const identity of identities)
      expect((await bench(undefined, ring([identity])).decode(bytes, {})).equals(data)).toBe(true)
  })

  it('what it encrypts is read here, armored or not', async () => {
    for (const bytes of [...sizes, 48, 49, 47]) {
      for (const armor of [[], ['-a']]) {
        const encrypted = program(['-r', recipient, ...armor], randomData(bytes))
        const decoded = await bench(undefined, ring([readFileSync(identityFile, 'utf8')])).decode(
          encrypted,
          {},
        )
        expect(decoded.equals(randomData(bytes))).toBe(true)
      }
    }
  })

  it('what it encrypts to several recipients is read with the second identity', async () => {
    const args = recipients.flatMap((one) => ['-r', one])
    const encrypted = program(args, rowData(1000))
    expect(await bench(undefined, ring([`${identities[1]}`])).decode(encrypted, {})).toEqual(rowData(1000))
  })
})

/** Runs a program in a terminal of its own and types the answer at each prompt. */
const typing = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])
seen = b''
while True:
    try: data = os.read(fd, 1024)
    except OSError: break
    if not data: break
    seen += data
    if seen.rstrip().endswith(b':'):
        os.write(fd, sys.argv[1].encode() + b'\\n')
        seen = b''
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`

needsAll(needsTool('age'), needsTool('python3')).describe('with the age program and a passphrase', () => {
  const { it } = needsAll(needsTool('age'), needsTool('python3'))
  const passphrase = 'correct horse battery staple ü'
  const type = (args: readonly string[]) =>
    execFileSync('python3', ['-c', typing, passphrase, 'age', ...args])

  it('it decrypts what is written here', async () => {
    const { bytes } = await bench({ passphrase: new Secret(passphrase) }, ring([])).encode(rowData(200_000))
    const file = await folder.writeFile('by-passphrase.age', bytes)
    type(['-d', '-o', join(folder.path, 'plain'), file])
    expect(readFileSync(join(folder.path, 'plain')).equals(rowData(200_000))).toBe(true)
  })

  it('what it encrypts is read here', async () => {
    const plain = await folder.writeFile('rows', rowData(200_000))
    type(['-p', '-o', join(folder.path, 'rows.age'), plain])
    const encrypted = readFileSync(join(folder.path, 'rows.age'))
    expect(
      (await bench(undefined, ring([], passphrase)).decode(encrypted, {})).equals(rowData(200_000)),
    ).toBe(true)
  })
})

needsTool('age').it(
  'post-quantum recipients, which the program may be too old for, are written and read here',
  async () => {
    const identity = await generateHybridIdentity()
    const stage = bench({ recipients: [await identityToRecipient(identity)] }, ring([identity]))
    const { bytes, facts } = await stage.encode(rowData(100_000))
    expect((await stage.decode(bytes, facts)).equals(rowData(100_000))).toBe(true)
  },
)
