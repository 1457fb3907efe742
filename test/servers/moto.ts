import { connect } from 'node:net'
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { motoProgram } from '../../scripts/cloud-servers.mjs'
import { serverFolder, startServer } from './server.js'

/** A private server that speaks S3. */
export interface MotoServer {
  readonly endpoint: string
  /** What a storage needs beside its bucket. */
  readonly settings: Readonly<Record<string, unknown>>
  makeBucket(name: string, options?: { readonly objectLock?: boolean }): Promise<void>
  /**
   * From now on accounts and permissions are looked at.
   * @returns the credentials of an account that may nothing
   */
  checkLogins(): Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string }>
  stop(): Promise<void>
}

export interface Certificate {
  readonly certFile: string
  readonly keyFile: string
}

/** Starts moto. @param certificate for https. @throws where moto is not installed: see {@link needsMoto} */
export async function startMoto(certificate?: Certificate): Promise<MotoServer> {
  const program = motoProgram()
  if (program === undefined) throw new Error('moto is not installed')
  const folder = await serverFolder('s3', undefined)
  const scheme = certificate === undefined ? 'http' : 'https'
  const tls = certificate === undefined ? [] : ['-c', certificate.certFile, '-k', certificate.keyFile]
  const server = await startServer({
    folder,
    account: undefined,
    command: (port) => ({
      program,
      args: ['-H', '127.0.0.1', '-p', String(port), ...tls],
      stopSignal: 'SIGKILL',
    }),
    async ask(port) {
      if (certificate === undefined) await clientAt(`http://127.0.0.1:${port}`).send(new ListBucketsCommand())
      // Whether its certificate is trusted is what the tests look at.
      else await connects(port)
      return 'moto'
    },
  })
  const endpoint = `${scheme}://127.0.0.1:${server.port}`
  return {
    endpoint,
    settings: { endpoint, region: 'us-east-1', accessKeyId: 'test', secretAccessKey: 'test-secret' },
    async makeBucket(name, { objectLock = false } = {}) {
      await clientAt(endpoint).send(
        new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: objectLock }),
      )
    },
    async checkLogins() {
      await accounts(endpoint, 'Action=CreateUser&UserName=nobody')
      const made = await accounts(endpoint, 'Action=CreateAccessKey&UserName=nobody')
      const said = (name: string) => new RegExp(`<${name}>([^<]+)<`, 'u').exec(made)?.[1] ?? ''
      await fetch(`${endpoint}/moto-api/reset-auth`, { method: 'POST', body: '0' })
      return { accessKeyId: said('AccessKeyId'), secretAccessKey: said('SecretAccessKey') }
    },
    stop: () => server.stop(),
  }
}

/** A request to the service of accounts, which moto knows by the scope of its credentials. */
async function accounts(endpoint: string, request: string): Promise<string> {
  const credential = 'Credential=test/20260101/us-east-1/iam/aws4_request'
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=0`,
    },
    body: `${request}&Version=2010-05-08`,
  })
  if (!answer.ok) throw new Error(`moto made no account: ${await answer.text()}`)
  return answer.text()
}

function clientAt(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test-secret' },
  })
}

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
  })
}
