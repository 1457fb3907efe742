import { access, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { fakeEnv } from './fake-env.js'

describe('a fake environment', () => {
  it('has a clock that stands until it is set', () => {
    const env = fakeEnv({ time: '2026-10-25T00:30:00Z' })
    expect(env.clock.now().toISOString()).toBe('2026-10-25T00:30:00.000Z')
    env.advance(90_000)
    expect(env.clock.now().toISOString()).toBe('2026-10-25T00:31:30.000Z')
    env.setTime('2020-01-01T00:00:00Z')
    expect(env.clock.now().toISOString()).toBe('2020-01-01T00:00:00.000Z')
    env.clock.now().setFullYear(1999)
    expect(env.clock.now().getFullYear()).toBe(2020)
  })

  it('gives the same random bytes in every run, others at every call and for every seed', () => {
    const draw = (seed?: string): string[] => {
      const env = fakeEnv(seed === undefined ? {} : { seed })
      return [6, 6, 100].map((length) => Buffer.from(env.randomBytes(length)).toString('hex'))
    }
    expect(draw()).toEqual(draw())
    expect(draw().map((hex) => hex.length)).toEqual([12, 12, 200])
    expect(new Set([...draw(), ...draw('other')]).size).toBe(6)
  })

  it('has only the variables it is given, and whatever else is set', () => {
    expect(fakeEnv().variables).toEqual({})
    const env = fakeEnv({ variables: { A: '1' }, platform: 'win32', hostName: 'db1' })
    expect([env.variables, env.platform, env.hostName]).toEqual([{ A: '1' }, 'win32', 'db1'])
  })

  it('has real temporary folders', async () => {
    const folder = await fakeEnv().temporaryDirectory()
    const file = await folder.writeFile('x', 'content')
    expect(await readFile(file, 'utf8')).toBe('content')
    await folder.remove()
    await expect(access(folder.path)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
