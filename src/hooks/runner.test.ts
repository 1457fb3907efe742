import { describe, expect, it } from 'vitest'
import { HoldfastError } from '../errors.js'
import type { HookEvents } from './events.js'
import { HookRunner } from './runner.js'

const event: HookEvents['beforeBackup'] = {
  database: { alias: 'shop', name: 'shop_production', engine: 'postgresql' },
  connector: 'pg-dump-custom',
  server: 'web1',
}

describe('HookRunner', () => {
  it('runs handlers from the configuration, then added ones, in order, each awaited', async () => {
    const seen: string[] = []
    const slow = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push('first')
    }
    const hooks = new HookRunner({ beforeBackup: [slow, () => void seen.push('second')] })
    hooks.on('beforeBackup', ({ database }) => void seen.push(database.alias))
    await hooks.run('beforeBackup', event)
    expect(seen).toEqual(['first', 'second', 'shop'])
  })

  it('takes handlers away, and runs those of once only once', async () => {
    const seen: string[] = []
    const hooks = new HookRunner()
    const remove = hooks.on('beforeBackup', () => void seen.push('on'))
    hooks.once('beforeBackup', () => void seen.push('once'))
    await hooks.run('beforeBackup', event)
    remove()
    await hooks.run('beforeBackup', event)
    expect(seen).toEqual(['on', 'once'])
  })

  it('a throw stops the handlers after it and is refused.hook', async () => {
    const seen: string[] = []
    const hooks = new HookRunner({
      beforeBackup: [
        () => {
          throw new TypeError('not on a Friday')
        },
        () => void seen.push('never'),
      ],
    })
    const error: unknown = await hooks.run('beforeBackup', event).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(HoldfastError)
    expect(error).toMatchObject({
      code: 'refused.hook',
      message: 'the hook beforeBackup threw: not on a Friday',
    })
    expect(seen).toEqual([])
  })
})
