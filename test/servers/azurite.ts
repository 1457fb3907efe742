import { fileURLToPath } from 'node:url'
import {
  BlobServiceClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { serverFolder, startServer } from './server.js'

/** A private server that speaks Azure Blob Storage's protocol: a package of npm, so it is always there. */
export interface AzuriteServer {
  /** What a storage needs beside its container. */
  readonly settings: { readonly endpoint: string; readonly account: string; readonly accountKey: string }
  makeContainer(name: string): Promise<void>
  /** A shared access signature for a container; `rcwdl` are all permissions, and `''` leaves what no storage asks for. */
  token(container: string, permissions: string): string
  tierOf(container: string, blob: string): Promise<string | undefined>
  stop(): Promise<void>
}

const program = fileURLToPath(new URL('../../node_modules/azurite/dist/src/blob/main.js', import.meta.url))

export async function startAzurite(): Promise<AzuriteServer> {
  const folder = await serverFolder('az', undefined)
  const account = 'holdfast'
  const accountKey = Buffer.from('a key of the tests').toString('base64')
  const credential = new StorageSharedKeyCredential(account, accountKey)
  const clientAt = (port: number) =>
    new BlobServiceClient(`http://127.0.0.1:${port}/${account}`, credential, {
      retryOptions: { maxTries: 1 },
    })
  const server = await startServer({
    folder,
    account: undefined,
    command: (port) => ({
      program: '/usr/bin/env',
      args: [
        `AZURITE_ACCOUNTS=${account}:${accountKey}`,
        ...[process.execPath, program, '--blobHost', '127.0.0.1', '--blobPort', String(port)],
        ...['--inMemoryPersistence', '--skipApiVersionCheck', '--silent', '--disableTelemetry'],
      ],
      stopSignal: 'SIGKILL',
    }),
    async ask(port) {
      await clientAt(port).getProperties()
      return 'azurite'
    },
  })
  return {
    settings: { endpoint: `http://127.0.0.1:${server.port}/${account}`, account, accountKey },
    async makeContainer(name) {
      await clientAt(server.port).createContainer(name)
    },
    token(containerName, permissions) {
      const expiresOn = new Date(Date.now() + 3_600_000)
      const allowed = ContainerSASPermissions.parse(permissions === '' ? 't' : permissions)
      return generateBlobSASQueryParameters(
        { containerName, permissions: allowed, expiresOn },
        credential,
      ).toString()
    },
    async tierOf(container, blob) {
      const client = clientAt(server.port).getContainerClient(container).getBlobClient(blob)
      return (await client.getProperties()).accessTier
    },
    stop: () => server.stop(),
  }
}
