import { fakeGcsProgram } from '../../scripts/cloud-servers.mjs'
import { serverFolder, startServer } from './server.js'

/** A private server that speaks Google Cloud Storage's protocol. */
export interface FakeGcsServer {
  readonly endpoint: string
  /** What a storage needs beside its bucket. */
  readonly settings: Readonly<Record<string, unknown>>
  makeBucket(name: string): Promise<void>
  /** A byte as an object, where a test needs many. */
  upload(bucket: string, name: string): Promise<void>
  stop(): Promise<void>
}

/** Its objects are in its memory. @throws where it is not built: see {@link needsFakeGcs} */
export async function startFakeGcs(): Promise<FakeGcsServer> {
  const program = fakeGcsProgram()
  if (program === undefined) throw new Error('fake-gcs-server is not built')
  const folder = await serverFolder('gcs', undefined)
  const server = await startServer({
    folder,
    account: undefined,
    command: (port) => ({
      program,
      args: [
        ...['-backend', 'memory', '-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)],
        ...['-public-host', `127.0.0.1:${port}`, '-external-url', `http://127.0.0.1:${port}`],
        ...['-log-level', 'error'],
      ],
      stopSignal: 'SIGKILL',
    }),
    async ask(port) {
      const { ok, status } = await fetch(`http://127.0.0.1:${port}/storage/v1/b?project=test`)
      if (!ok) throw new Error(`HTTP status ${status}`)
      return 'fake-gcs-server'
    },
  })
  const endpoint = `http://127.0.0.1:${server.port}`
  return {
    endpoint,
    settings: { endpoint, anonymous: true },
    async makeBucket(name) {
      const { ok, status } = await fetch(`${endpoint}/storage/v1/b?project=test`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      })
      if (!ok) throw new Error(`the bucket was not made: HTTP status ${status}`)
    },
    async upload(bucket, name) {
      const query = new URLSearchParams({ uploadType: 'media', name })
      const url = `${endpoint}/upload/storage/v1/b/${bucket}/o?${query.toString()}`
      const response = await fetch(url, { method: 'POST', body: 'x' })
      await response.arrayBuffer()
      if (!response.ok) throw new Error(`${name} was not uploaded: HTTP status ${response.status}`)
    },
    stop: () => server.stop(),
  }
}
