import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import dns from 'node:dns'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectLegalHoldCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { cuttingProxy } from '../../../test/servers/cutting-proxy.js'
import { startMoto, type MotoServer } from '../../../test/servers/moto.js'
import { needsAll, needsMoto, needsTool } from '../../../test/servers/needs.js'
import type { Context } from '../../env/context.js'
import { fakeEnv } from '../../testing/fake-env.js'
import { flow, heldSource, noise } from '../../testing/storage-bench.js'
import { mishapChecks } from '../../testing/storage-mishap-checks.js'
import { objectKey } from '../object-key.js'
import type { Storage } from '../storage.js'
import { withWrappers } from '../wrap/wrapped-driver.js'
import { s3Driver } from './driver.js'

const mebibyte = 1024 * 1024
const driver = withWrappers(s3Driver)
const key = objectKey('shop/app.dump')
const Bucket = 'backups'
let notices: string[] = []
const cx: Context = {
  env: fakeEnv({ time: new Date() }),
  signal: new AbortController().signal,
  emit: (event) => event.type === 'notice' && notices.push(event.message),
}

needsMoto().describe('S3: what the service is asked for', () => {
  let moto: MotoServer
  let client: S3Client

  beforeAll(async () => {
    moto = await startMoto()
    await moto.makeBucket(Bucket)
    await moto.makeBucket('locked', { objectLock: true })
    client = new S3Client({
      ...{ endpoint: moto.endpoint, region: 'us-east-1', forcePathStyle: true },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' },
    })
  })
  afterAll(async () => {
    client.destroy()
    await moto.stop()
  })

  const open = (settings: Readonly<Record<string, unknown>>): Promise<Storage> =>
    driver.open({ ...moto.settings, bucket: Bucket, ...settings }, { name: 'main', baseDirectory: '/' })

  const unfinished = async (Prefix?: string) =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }))).Uploads?.length ?? 0

  /** A service that hands each request on, or breaks its connection where `sees` says no. */
  const passingOn = async (sees: (asked: IncomingMessage, body: Buffer) => boolean) => {
    const server = createServer((asked, answer) => {
      const { method, url, headers } = asked
      const body = buffer(asked)
      body.then(
        (bytes) => {
          if (!sees(asked, bytes)) return answer.destroy()
          const passed = request(new URL(url ?? '', moto.endpoint), { method, headers }, (given) => {
            answer.writeHead(given.statusCode ?? 500, given.headers)
            given.pipe(answer)
          })
          return passed.end(bytes)
        },
        () => answer.destroy(),
      )
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      close: () => server.close(),
    }
  }

  describe('by whom, and where', () => {
    afterEach(() => {
      vi.unstubAllEnvs()
      vi.restoreAllMocks()
    })

    it('a login from the variables or the shared file, where the settings have none', async () => {
      const folder = await mkdtemp(join(tmpdir(), 's3-test-'))
      await writeFile(
        join(folder, 'credentials'),
        '[shop]\naws_access_key_id = FROMFILE\naws_secret_access_key = x\n',
      )
      const logins: (string | undefined)[] = []
      const watching = await passingOn(({ headers }) => {
        logins.push(/Credential=(\w+)/u.exec(headers.authorization ?? '')?.[1])
        return true
      })
      const none = { endpoint: watching.endpoint, accessKeyId: undefined, secretAccessKey: undefined }
      vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
      for (const variable of ['AWS_PROFILE', 'AWS_SESSION_TOKEN']) vi.stubEnv(variable, undefined)
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'FROMVARIABLE')
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x')
      for (const profile of [undefined, 'shop']) {
        const storage = await open({ ...none, ...(profile === undefined ? {} : { profile }) })
        await storage.stat(cx, key)
        await storage.close()
      }
      expect(logins).toEqual(['FROMVARIABLE', 'FROMFILE'])
      watching.close()
      await rm(folder, { recursive: true })
    })

    it('a bucket by its own host name, where paths are not wanted', async () => {
      const { lookup } = dns
      const names: string[] = []
      // Such names are the service's to give.
      vi.spyOn(dns, 'lookup').mockImplementation((name: string, ...rest: readonly unknown[]) => {
        names.push(name)
        return Reflect.apply(lookup, dns, ['127.0.0.1', ...rest]) as unknown
      })
      const { port } = new URL(moto.endpoint)
      const storage = await open({ endpoint: `http://s3.test:${port}`, pathStyle: false, prefix: 'host' })
      await storage.put(cx, key, Readable.from(['by host']))
      expect(new Set(names)).toEqual(new Set([`${Bucket}.s3.test`]))
      await storage.close()
      expect(await (await open({ prefix: 'host' })).stat(cx, key)).toMatchObject({ bytes: 7 })
    })
  })

  it('encryption and storage class, of small objects and of large ones', async () => {
    const storage = await open({
      ...{ prefix: 'kinds', encryption: 'aws:kms', kmsKeyId: 'key-1', storageClass: 'STANDARD_IA' },
    })
    for (const bytes of [10, 9 * mebibyte]) {
      await storage.put(cx, key, Readable.from([noise(bytes)]))
      expect(await client.send(new HeadObjectCommand({ Bucket, Key: `kinds/${key}` }))).toMatchObject({
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: 'key-1',
        StorageClass: 'STANDARD_IA',
        ContentLength: bytes,
      })
    }
  })

  it('to check the digest that each body is signed with, of small objects and of parts', async () => {
    const signed: { readonly digest: unknown; readonly body: Buffer }[] = []
    const recording = await passingOn(({ method, headers }, body) => {
      if (method === 'PUT') signed.push({ digest: headers['x-amz-content-sha256'], body })
      return true
    })
    const storage = await open({ endpoint: recording.endpoint, prefix: 'signed' })
    for (const bytes of [10, 9 * mebibyte]) await storage.put(cx, key, Readable.from([noise(bytes)]))
    expect(signed.map(({ body }) => body.length).sort()).toEqual([10, mebibyte, 8 * mebibyte])
    for (const { digest, body } of signed)
      expect(digest).toBe(createHash('sha256').update(body).digest('hex'))
    await storage.close()
    recording.close()
  })

  it('a lock for what belongs to a backup, and says so when that is to be deleted', async () => {
    const storage = await open({ bucket: 'locked', immutableFor: '30d' })
    await storage.put(cx, key, Readable.from(['kept']), { retain: true })
    await expect(storage.delete(cx, key)).rejects.toMatchObject({
      code: 'storage.retained',
      message: expect.stringContaining('locked until') as string,
    })
    expect((await buffer(await storage.get(cx, key))).toString()).toBe('kept')
    const other = objectKey('shop/pending')
    await storage.put(cx, other, Readable.from(['gone']))
    await storage.delete(cx, other)
    expect(await storage.stat(cx, other)).toBeUndefined()
  })

  it('what is under a legal hold, and does not hide it', async () => {
    const storage = await open({ bucket: 'locked', prefix: 'held', immutableFor: '30d' })
    await storage.put(cx, key, Readable.from(['held']))
    const hold = (Status: 'ON' | 'OFF') =>
      client.send(
        new PutObjectLegalHoldCommand({ Bucket: 'locked', Key: `held/${key}`, LegalHold: { Status } }),
      )
    await hold('ON')
    await expect(storage.delete(cx, key)).rejects.toMatchObject({
      code: 'storage.retained',
      message: expect.stringContaining('legal hold') as string,
    })
    expect((await buffer(await storage.get(cx, key))).toString()).toBe('held')
    await hold('OFF')
    await storage.delete(cx, key)
    expect(await storage.stat(cx, key)).toBeUndefined()
  })

  it('a lock that the bucket does not have, and says what it needs', async () => {
    const storage = await open({ prefix: 'locks', immutableFor: '30d' })
    const put = storage.put(cx, key, Readable.from(['kept']), { retain: true })
    await expect(put).rejects.toMatchObject({
      code: 'storage.failed',
      hint: expect.stringContaining('object lock') as string,
    })
    expect(await storage.stat(cx, key)).toBeUndefined()
    await storage.put(cx, key, Readable.from(['loose']))
  })

  it('nothing that is left over: an upload in parts is aborted when its source fails', async () => {
    let refusals = 1
    const breaking = await passingOn(({ method }) => method !== 'DELETE' || refusals-- <= 0)
    const storage = await open({ endpoint: breaking.endpoint, prefix: 'broken' })
    const source = heldSource(noise(20 * mebibyte))
    const put = storage.put(cx, key, source.body)
    await source.taken
    await expect.poll(() => unfinished('broken/')).toBe(1)
    source.fail(new Error('the tool broke'))
    await expect(put).rejects.toThrow('the tool broke')
    expect(await unfinished('broken/')).toBe(0)
    expect(refusals).toBeLessThan(0)
    await storage.close()
    breaking.close()
  })

  it('FAILURES 7: to forget the parts that a killed run has left', async () => {
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'killed/a' }))
    await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'elsewhere/a' }))
    const storage = await open({ prefix: 'killed' })
    const nextWeek = { ...cx, env: fakeEnv({ time: new Date(Date.now() + 7 * 86_400_000) }) }
    expect(await storage.sweep(nextWeek, 86_400_000)).toBe(1)
    expect(await unfinished('killed/')).toBe(0)
    expect(await unfinished('elsewhere/')).toBe(1)
  })

  it('the rest, where the connection broke, up and down', async () => {
    const proxy = await cuttingProxy(Number(new URL(moto.endpoint).port))
    notices = []
    const healing: Context = {
      ...cx,
      emit(event) {
        cx.emit(event)
        proxy.heal()
      },
    }
    try {
      const storage = await open({ endpoint: `http://127.0.0.1:${proxy.port}`, prefix: 'cut' })
      proxy.cutAfter({ sent: 12 * mebibyte })
      expect(await storage.put(healing, key, flow(512))).toMatchObject({ bytes: 512 * 65_536 })
      const ofPut = notices.length
      expect(ofPut).toBeGreaterThan(0)
      proxy.cutAfter({ received: 12 * mebibyte })
      const read = await buffer(await storage.get(healing, key))
      expect(read.equals(await buffer(flow(512)))).toBe(true)
      expect(notices.length).toBeGreaterThan(ofPut)
    } finally {
      await proxy.close()
    }
  })

  describe('an account that may nothing, or is not known', () => {
    let nobody: Readonly<Record<string, string>>
    beforeAll(async () => {
      nobody = await moto.checkLogins()
    })
    const checks = mishapChecks({
      denied: () => open(nobody),
      loginRefused: () => open({ accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' }),
      unreachable: () => open({ endpoint: 'http://127.0.0.1:1', retryFor: '0' }),
    })
    for (const check of checks) it(check.name, () => check.run())
  })
})

needsAll(needsMoto(), needsTool('openssl')).describe('S3 over https', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 's3-test-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('trusts the certificates in ca, and nobody without', async () => {
    const [keyFile, certFile] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [string, string]
    execFileSync(
      'openssl',
      [
        ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
        ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
        ['-keyout', keyFile, '-out', certFile],
      ].flat(),
      { stdio: 'ignore' },
    )
    const moto = await startMoto({ keyFile, certFile })
    try {
      const at = (settings: object) =>
        driver.open(
          { ...moto.settings, bucket: Bucket, ...settings },
          { name: 'main', baseDirectory: folder },
        )
      await expect((await at({})).stat(cx, key)).rejects.toMatchObject({ code: 'storage.untrusted' })
      // That there is no such bucket is said over a connection that is trusted.
      await expect((await at({ ca: 'cert.pem' })).stat(cx, key)).resolves.toBeUndefined()
      await expect(at({ ca: 'missing.pem' })).rejects.toMatchObject({ code: 'config.invalid' })
    } finally {
      await moto.stop()
    }
  })
})
