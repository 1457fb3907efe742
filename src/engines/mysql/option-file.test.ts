import { readFile, stat } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { needsTool } from '../../../test/servers/needs.js'
import { nodeEnv } from '../../env/node-env.js'
import { Secret } from '../../env/secret.js'
import { runTool } from '../../process/run.js'
import { optionValue, writeOptionFile } from './option-file.js'
import { scratchContext } from './test-connector.js'

const settings = {
  engine: 'mysql',
  name: 'shop',
  user: 'me',
  password: new Secret('hunter22'),
  parameters: {},
}

async function written(changes: object, family: 'MySQL' | 'MariaDB' = 'MariaDB'): Promise<string> {
  const folder = await nodeEnv().temporaryDirectory()
  try {
    const { argument } = await writeOptionFile(nodeEnv(), folder, { ...settings, ...changes }, family)
    return await readFile(argument.replace('--defaults-file=', ''), 'utf8')
  } finally {
    await folder.remove()
  }
}

describe('the option file', () => {
  it('FAILURES 71, 77: is readable by its owner alone', async () => {
    const folder = await nodeEnv().temporaryDirectory()
    const { argument, env } = await writeOptionFile(nodeEnv(), folder, settings, 'MariaDB')
    const path = argument.replace('--defaults-file=', '')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await stat(folder.path)).mode & 0o777).toBe(0o700)
    expect(argument + JSON.stringify(env)).not.toContain('hunter22')
    await folder.remove()
    await expect(stat(path)).rejects.toThrow('ENOENT')
  })

  it('leaves nothing to the defaults of the programs', async () => {
    const text = await written({ password: undefined })
    expect(text).toContain('password=""')
    expect(text).toContain('host="localhost"')
    expect(text).toContain('port="3306"')
    // Without it, localhost means a socket to the programs and an address to the driver.
    expect(text).toContain('protocol="TCP"')
    expect(await written({ socket: '/run/s.sock' })).toMatch(/socket="\/run\/s\.sock"\nprotocol="SOCKET"/u)
  })

  it('says TLS in the words of the family', async () => {
    const verified = { parameters: { 'ssl-ca': '/ca.pem' } }
    expect(await written(verified, 'MySQL')).toContain('ssl-mode="VERIFY_IDENTITY"\nssl-ca="/ca.pem"')
    expect(await written(verified)).toContain('ssl="1"\nssl-verify-server-cert="1"\nssl-ca="/ca.pem"')
    expect(await written({ parameters: { 'ssl-mode': 'DISABLED' } })).toContain('ssl="0"')
    expect(await written({})).toContain('ssl="1"\nssl-verify-server-cert="0"')
  })

  it('refuses what no option file can hold', () => {
    expect(() => optionValue('password', 'a\0b')).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    expect(() => optionValue('password', 'x'.repeat(5_000))).toThrow(
      expect.objectContaining({ code: 'config.invalid' }),
    )
  })

  needsTool('mariadb').it('FAILURES 39: brings any text to the programs unchanged', async () => {
    const cx = scratchContext()
    const folder = await cx.env.temporaryDirectory()
    const hard = fc.string({ unit: fc.constantFrom(...`ab #;'"\\\t\n\r\b=[]%$\`!ü😀snrtb`), maxLength: 30 })
    let count = 0
    try {
      await fc.assert(
        fc.asyncProperty(fc.oneof(hard, fc.string({ unit: 'grapheme' })), async (text) => {
          fc.pre(!text.includes('\0'))
          const content = `[client]\nuser=${optionValue('user', text)}\nport="1"\n`
          const file = await folder.writeFile(`option-${count++}.cnf`, content)
          const { stdout } = await runTool(cx, {
            program: 'mariadb',
            args: [`--defaults-file=${file}`, '--print-defaults'],
          })
          expect(stdout.slice(stdout.indexOf('--user='))).toBe(`--user=${text} --port=1 \n`)
        }),
        { numRuns: 60 },
      )
    } finally {
      await folder.remove()
    }
  })
})
