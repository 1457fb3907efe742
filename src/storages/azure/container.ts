import {
  AnonymousCredential,
  BlobServiceClient,
  StorageSharedKeyCredential,
  type ContainerClient,
  type StoragePipelineOptions,
} from '@azure/storage-blob'
import { nodeEnv } from '../../env/node-env.js'
import { HoldfastError } from '../../errors.js'
import type { AzureSettings } from './settings.js'

/** How long one request may take. */
const requestTimeoutMs = 5 * 60_000

/** It tries nothing again by itself: `Retry` does, in one place for all storages. */
const pipeline: StoragePipelineOptions = {
  retryOptions: { maxTries: 1, tryTimeoutInMs: requestTimeoutMs },
  keepAliveOptions: { enable: true },
}

/** A client of the container. @throws config.invalid where nothing says which account it is in, or how to log in */
export function azureContainer(settings: AzureSettings): ContainerClient {
  return service(settings).getContainerClient(settings.container)
}

function service(settings: AzureSettings): BlobServiceClient {
  const { account, accountKey, sasToken, endpoint } = settings
  const given = account !== undefined || endpoint !== undefined
  const connection =
    settings.connectionString?.reveal() ??
    (given ? undefined : nodeEnv().variables['AZURE_STORAGE_CONNECTION_STRING'])
  if (connection !== undefined) return ofConnection(connection)
  if (!given)
    throw new HoldfastError('config.invalid', 'an azure storage needs account, endpoint or connectionString')
  const url = (endpoint ?? `https://${account}.blob.core.windows.net`).replace(/\/+$/u, '')
  if (accountKey !== undefined && account !== undefined) {
    const credential = new StorageSharedKeyCredential(account, accountKey.reveal())
    return new BlobServiceClient(url, credential, pipeline)
  }
  if (sasToken !== undefined) {
    const token = sasToken.reveal().replace(/^\?/u, '')
    return new BlobServiceClient(`${url}?${token}`, new AnonymousCredential(), pipeline)
  }
  throw new HoldfastError('config.invalid', 'an azure storage needs account and accountKey, or sasToken')
}

function ofConnection(text: string): BlobServiceClient {
  try {
    return BlobServiceClient.fromConnectionString(text, pipeline)
  } catch {
    // The client's own message may hold the text.
    throw new HoldfastError('config.invalid', 'the connectionString of an azure storage is not one')
  }
}
