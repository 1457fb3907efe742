import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { HoldfastError } from '../../errors.js'
import type { S3Settings } from './settings.js'

const connectionTimeoutMs = 10_000
/** How long nothing may pass over a connection. */
const silenceMs = 60_000
const mostSockets = 64

const silent = () => undefined

/**
 * A client with these settings; what they leave open comes from the usual chain of variables, shared files and the machine's role.
 * It tries nothing again by itself: `Retry` does, in one place for all storages.
 */
export async function s3Client(settings: S3Settings, baseDirectory: string): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3')
  const { endpoint, profile } = settings
  const region = settings.region ?? (endpoint === undefined ? undefined : 'us-east-1')
  const credentials = credentialsOf(settings)
  const agent = { keepAlive: true, maxSockets: mostSockets }
  const logger = { debug: silent, info: silent, warn: silent, error: silent }
  return new S3Client({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
    ...(credentials === undefined ? {} : { credentials }),
    forcePathStyle: settings.pathStyle ?? endpoint !== undefined,
    maxAttempts: 1,
    // Bodies have our own SHA-256; a checksum that the service did not ask for is refused by some.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectionTimeoutMs,
      socketTimeout: silenceMs,
      httpAgent: agent,
      httpsAgent: {
        ...agent,
        ...(settings.ca === undefined ? {} : { ca: readCa(settings.ca, baseDirectory) }),
      },
      logger,
    },
    logger,
  })
}

function credentialsOf(settings: S3Settings): S3ClientConfig['credentials'] {
  const { accessKeyId, secretAccessKey, sessionToken } = settings
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined
  return {
    accessKeyId,
    secretAccessKey: secretAccessKey.reveal(),
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.reveal() }),
  }
}

function readCa(path: string, baseDirectory: string): Buffer {
  try {
    return readFileSync(resolve(baseDirectory, path))
  } catch (error) {
    throw new HoldfastError('config.invalid', `the certificates in ca, ${path}, cannot be read`, {
      cause: error,
    })
  }
}
