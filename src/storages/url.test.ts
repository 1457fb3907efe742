import { describe, expect, it } from 'vitest'
import { localDriver } from './local/driver.js'
import { memoryDriver } from './memory/driver.js'
import { parseStorageUrl } from './url.js'

describe('the URL of a storage', () => {
  it('is taken apart and decoded', () => {
    const url = parseStorageUrl('sftp://ann%40home:p%2Fw@host:2222/srv/a%20b?hostKey=x%2By&compression=true')
    expect(url).toMatchObject({
      scheme: 'sftp',
      user: 'ann@home',
      host: 'host',
      port: 2222,
      path: '/srv/a b',
      parameters: { hostKey: 'x+y', compression: 'true' },
    })
    expect(url.password?.reveal()).toBe('p/w')
    expect(JSON.stringify(url)).not.toContain('p/w')
  })

  it('may have no more than a host, and leaves its letters as they are', () => {
    expect(parseStorageUrl('gs://My_Bucket')).toEqual({
      scheme: 'gs',
      host: 'My_Bucket',
      path: '',
      parameters: {},
    })
  })

  it.each([
    ['s3:bucket', 'is not a URL'],
    ['s3://bucket:port', 'is not a URL'],
    ['s3://key:hush@bucket/%', 'has a %'],
    ['s3://key:hush@bucket/a#b', 'has a #'],
    ['s3://key:hush@bucket?region=a&region=b', 'says region twice'],
  ])('%s is refused without showing a password', (text, why) => {
    const thrown = (() => {
      try {
        return parseStorageUrl(text)
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toMatchObject({ code: 'config.invalid' })
    expect((thrown as Error).message).toContain(why)
    expect((thrown as Error).message).not.toContain('hush')
  })

  it('of a folder and of memory', () => {
    expect(localDriver.parse?.('file:///srv/a%20b')).toEqual({ path: '/srv/a b' })
    expect(localDriver.parse?.('file:backups')).toEqual({ path: 'backups' })
    expect(memoryDriver.parse?.('memory:')).toEqual({})
    expect(memoryDriver.parse?.('memory:trial')).toEqual({ name: 'trial' })
  })
})
