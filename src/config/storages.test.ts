import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Secret } from '../env/secret.js'
import type { HoldfastConfig } from './config.js'
import { machine, registry, resolved } from './fixture.js'
import { resolveSettings } from './resolve.js'

describe('storages', () => {
  const chosen = (value: string) => ({ overrides: { storage: { value, origin: '--storage' } } })
  const configured: HoldfastConfig = { storages: { main: './a', offsite: { driver: 's3', bucket: 'b' } } }

  it('are paths, URLs or objects', async () => {
    const { storages } = await resolved({
      storages: {
        a: './x',
        b: 'memory:',
        c: 'file:///srv/x',
        d: { driver: 's3', bucket: 'b' },
        e: 's3://bucket/shop',
      },
    })
    expect(
      [...storages.values()].map(({ name, driver, settings }) => [name, driver.driver, settings]),
    ).toEqual([
      ['a', 'local', { path: './x' }],
      ['b', 'memory', {}],
      ['c', 'local', { path: '/srv/x' }],
      ['d', 's3', { bucket: 'b' }],
      ['e', 's3', { bucket: 'bucket', path: '/shop' }],
    ])
  })

  it('a URL that its driver refuses, or whose driver takes none, is an error that names the setting', async () => {
    await expect(resolved({ storages: { a: 's3:///shop' } })).rejects.toMatchObject({
      code: 'config.invalid',
      message: 'storages.a (the configuration): the URL names no bucket',
    })
    await expect(resolved({ storages: { a: 'tape://drive' } })).rejects.toMatchObject({
      code: 'config.invalid',
      message: 'storages.a (the configuration): the storage driver tape takes no URL',
    })
  })

  it('a chosen URL is a place as its driver reads it, and its name shows no password', async () => {
    const { storages, chosenStorages } = await resolved(configured, chosen('s3://key:hush-hush@bucket/shop'))
    expect(chosenStorages).toEqual(['s3://***@bucket/shop'])
    expect([...storages.keys()]).toEqual(['s3://***@bucket/shop', 'main', 'offsite'])
    const { settings } = storages.get('s3://***@bucket/shop') ?? {}
    expect(settings).toMatchObject({ bucket: 'bucket', path: '/shop' })
    expect((settings?.['password'] as Secret).reveal()).toBe('hush-hush')
  })

  it('may have a retention of their own, which is none of the driver', async () => {
    const retention = { monthly: 12 }
    const { storages } = await resolved({ storages: { a: { driver: 'local', path: './x', retention } } })
    expect(storages.get('a')).toMatchObject({ settings: { path: './x' }, retention })
    expect(storages.get('a')?.settings).toEqual({ path: './x' })
    await expect(
      resolved({ storages: { a: { driver: 'local', retention: { within: 'long' } } } }),
    ).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining('storages.a (the configuration): retention.within must be') as string,
    })
  })

  it('an unknown driver is an error that lists the known ones', async () => {
    await expect(resolved({ storages: { a: 'ftps://h' } })).rejects.toMatchObject({
      code: 'config.invalid',
      message:
        'storages.a (the configuration): there is no storage driver ftps; known: local, memory, s3, tape',
    })
  })

  it('a chosen name comes first', async () => {
    expect([...(await resolved(configured, chosen('offsite'))).storages.keys()]).toEqual(['offsite', 'main'])
  })

  it('a chosen place is relative to the working directory', async () => {
    const env = await machine()
    const { storages } = resolveSettings({
      config: configured,
      env,
      registry,
      baseDirectory: '/srv',
      ...chosen('./other'),
    })
    expect(storages.get('./other')?.settings).toEqual({ path: join(env.workingDirectory, 'other') })
    expect(storages.get('main')?.settings).toEqual({ path: './a' })
  })

  it('a chosen place stands alone where nothing is configured', async () => {
    expect([...(await resolved({}, chosen('./other'))).storages.keys()]).toEqual(['./other'])
  })

  it('a chosen name that is not configured is an error, not a folder', async () => {
    await expect(resolved(configured, chosen('ofsite'))).rejects.toMatchObject({
      code: 'usage.unknown-storage',
      message: 'there is no storage ofsite (--storage); did you mean offsite; known: main, offsite',
    })
  })
})
