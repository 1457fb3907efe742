import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { machine } from './fixture.js'
import { env, readVariable } from './variable.js'

const name = 'HOLDFAST_TEST_VARIABLE'

async function file(content: string): Promise<string> {
  return join((await machine({ value: content })).workingDirectory, 'value')
}

afterEach(() => {
  delete process.env[name]
  delete process.env[`${name}_FILE`]
})

it('reads the variable before the file', async () => {
  process.env[`${name}_FILE`] = await file('from file\n')
  expect(env(name)).toBe('from file')
  process.env[name] = 'from variable'
  expect(env(name)).toBe('from variable')
})

it.each([
  ['a\n', 'a'],
  ['a\r\n', 'a'],
  ['a\n\n', 'a\n'],
  [' a ', ' a '],
])('strips one newline of a file: %j', async (content, value) => {
  expect(readVariable({ X_FILE: await file(content) }, 'X')).toEqual({ value, origin: 'environment X_FILE' })
})

it('names both where neither is set', () => {
  expect(() => env(name)).toThrow(`neither ${name} nor ${name}_FILE is set`)
})

it('an empty variable is none', async () => {
  expect(readVariable({ X: '' }, 'X')).toBeUndefined()
  expect(readVariable({ X: '', X_FILE: await file('y') }, 'X')?.value).toBe('y')
})

it('says which file cannot be read', () => {
  expect(() => readVariable({ X_FILE: '/nowhere/x' }, 'X')).toThrow(
    expect.objectContaining({
      code: 'config.missing-variable',
      message: 'X_FILE names /nowhere/x, which cannot be read (ENOENT)',
    }),
  )
})
