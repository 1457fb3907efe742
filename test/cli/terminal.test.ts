import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { contentOf, execute, makeShop } from '../flows/workbench.js'
import { needsAll, needsServer } from '../servers/needs.js'
import { holdfast, project } from './command-line.js'
import { onTerminal, terminal } from './terminal.js'

const colour = '\u001b[3'

terminal.describe('on a terminal', () => {
  it('a backup is not written to it', async () => {
    const shown = await onTerminal('backup -o -', await project())
    expect(shown).toContain('stdout is a terminal: a backup is not written to it')
    expect(shown).toContain('exit 2')
  })

  it('there are colours, unless NO_COLOR or --no-color', async () => {
    const cwd = await project()
    mkdirSync(join(cwd, 'backups'))
    expect(await onTerminal('backup', cwd)).toContain(colour)
    expect(await onTerminal('list', cwd)).toContain(colour)
    expect(await onTerminal('list --no-color', cwd)).not.toContain(colour)
    expect(await onTerminal('backup nope', cwd, { NO_COLOR: '1' })).not.toContain(colour)
  })

  it('progress is shown and taken away, and not with --quiet', async () => {
    const cwd = await project()
    makeShop(join(cwd, 'large.sqlite3'), 60_000)
    const shown = await onTerminal('backup sqlite:./large.sqlite3 --progress always --no-color', cwd)
    expect(shown).toMatch(/\r\S+ {2}(?:backing up|copying|checking).* MiB/u)
    expect(shown).toMatch(/\r\u001b\[KDATABASE/u)
    expect(await onTerminal('backup sqlite:./large.sqlite3 --quiet', cwd)).toBe('exit 0\r\n')
  })

  it('restore asks, and no is the default', async () => {
    const cwd = await project()
    const shop = join(cwd, 'shop.sqlite3')
    const before = contentOf(shop)
    await holdfast(['backup', '-q'], { cwd })
    execute(shop, 'DELETE FROM orders')
    const lost = contentOf(shop)
    const restore = (type: string) => onTerminal('restore', cwd, {}, { when: 'Restore into', type })
    expect(await restore('\r')).toMatch(/not restored: nothing was changed\r?\nexit 8/u)
    expect(await restore('ls\r\u0003')).toMatch(/interrupted[\s\S]*exit 130/u)
    expect(contentOf(shop)).toBe(lost)
    expect(await restore('y\r')).toMatch(/restored[\s\S]*exit 0/u)
    expect(contentOf(shop)).toBe(before)
  })

  it('a protected database wants its name typed', async () => {
    const cwd = await project({ databases: { shop: { url: 'sqlite:./shop.sqlite3', protected: true } } })
    await holdfast(['backup', '-q'], { cwd })
    const restore = (type: string) =>
      onTerminal('restore', cwd, {}, { when: 'to restore into it', type: `${type}\r` })
    expect(await restore('shop.sqlite3')).toMatch(/what was typed is not its name[\s\S]*exit 8/u)
    expect(await restore('shop')).toMatch(/restored[\s\S]*exit 0/u)
  })

  it('a passphrase is asked for and not shown; Ctrl-C there ends the command', async () => {
    const cwd = await project({ encrypt: { age: { passphrase: 'correct horse' } } })
    await holdfast(['backup', '-q'], { cwd })
    const verify = (type: string) => onTerminal('verify', cwd, {}, { when: 'Passphrase', type })
    const right = await verify('correct horse\r')
    expect(right).toMatch(/whole[\s\S]*exit 0/u)
    expect(right).not.toContain('correct')
    expect(await verify('wrong\r')).toMatch(/integrity\.wrong-key[\s\S]*exit 7/u)
    expect(await verify('\u0003')).toMatch(/interrupted\.sigint[\s\S]*exit 130/u)
  })
})

const postgresql = needsServer('postgresql')

needsAll(terminal, postgresql).it('FAILURES 69: the question names the server and the database', async () => {
  const { host, port, user, password } = postgresql.server()
  const database = await new TestDatabase(postgresql.server()).make()
  try {
    const reach = { engine: 'postgresql', host, port, user, password, name: database.name }
    const cwd = await project({ databases: { shop: reach } })
    expect(await holdfast(['backup', '-q'], { cwd })).toMatchObject({ code: 0 })
    const place = `postgresql://${host}:${port}/${database.name}`
    const shown = await onTerminal('restore', cwd, {}, { when: `Restore into ${place}?`, type: '\r' })
    expect(shown).toMatch(/not restored: nothing was changed\r?\nexit 8/u)
  } finally {
    await database.drop()
  }
})
