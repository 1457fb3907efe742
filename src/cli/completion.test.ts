import { describe, expect, it } from 'vitest'
import { machine } from '../config/fixture.js'
import { runHere } from './fixture.js'

const config =
  '{"databases":{"shop":"sqlite:./a.db","docs":"sqlite:./b.db"},"storages":{"main":"./backups","offsite":"./other"}}'

async function proposals(
  words: readonly string[],
  files: Record<string, string> = { 'holdfast.config.json': config },
) {
  const { stdout, code } = await runHere(['__complete', ...words], await machine(files))
  expect(code).toBe(0)
  return stdout.trim().split('\n')
}

describe('completes', () => {
  it('commands', async () => {
    expect(await proposals(['re'])).toEqual(['restore', 'reseal'])
    expect(await proposals(['--json', 'pr'])).toEqual(['prune'])
    expect(await proposals(['help', 'l'])).toEqual(['list', 'load'])
  })

  it('flags, global ones too', async () => {
    expect(await proposals(['list', '--no-'])).toEqual(['--no-compressed', '--no-encrypted', '--no-color'])
    expect(await proposals(['restore', '--dry'])).toEqual(['--dry-run'])
  })

  it('values of flags', async () => {
    expect(await proposals(['restore', '--clean', ''])).toEqual(['none', 'objects', 'database'])
    expect(await proposals(['list', '--progress', 'a'])).toEqual(['auto', 'always'])
    expect(await proposals(['list', '--storage', ''])).toEqual(['main', 'offsite'])
    expect(await proposals(['restore', '--from-database', 's'])).toEqual(['shop'])
  })

  it('names of databases', async () => {
    expect(await proposals(['backup', ''])).toEqual(['shop', 'docs'])
    expect(await proposals(['backup', 'shop', 'd'])).toEqual(['docs'])
  })

  it('nothing where the configuration cannot be read', async () => {
    expect(await proposals(['backup', ''], { 'holdfast.config.json': '{' })).toEqual([''])
  })

  it('shells', async () => {
    expect(await proposals(['completion', ''])).toEqual(['bash', 'zsh', 'fish'])
  })
})
