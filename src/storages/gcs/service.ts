import { resolve } from 'node:path'
import { HoldfastError, type ErrorCode } from '../../errors.js'
import { remoteError } from '../remote-errors.js'
import type { GcsSettings } from './settings.js'

const scope = 'https://www.googleapis.com/auth/devstorage.read_write'
/** How long the service may take to answer; a large part needs its time on the way, and no byte may be in it for so long. */
const answerTimeoutMs = 5 * 60_000

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** A path of the JSON API below `/b/BUCKET/` with its query, or a whole URL. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  readonly signal: AbortSignal
}

/** Google Cloud Storage's JSON API, with the credentials of Google's own library. */
export interface GcsService {
  /** The answer, whatever its status. */
  ask(request: GcsRequest): Promise<Response>
  /** The same for uploads, which have a path of their own. */
  upload(request: GcsRequest): Promise<Response>
}

export async function gcsService(settings: GcsSettings, baseDirectory: string): Promise<GcsService> {
  const { bucket, endpoint = 'https://storage.googleapis.com', anonymous = false } = settings
  const authorization = anonymous ? () => Promise.resolve({}) : await credentials(settings, baseDirectory)
  const root = endpoint.replace(/\/+$/u, '')
  const place = `b/${encodeURIComponent(bucket)}/`
  const send =
    (base: string) =>
    async ({ method, url, headers = {}, body, signal }: GcsRequest): Promise<Response> => {
      const whole = /^https?:/u.test(url)
      return fetch(whole ? url : `${base}/${place}${url}`, {
        method,
        headers: { ...(await authorization()), ...headers },
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]),
        ...(body === undefined ? {} : { body }),
      })
    }
  return { ask: send(`${root}/storage/v1`), upload: send(`${root}/upload/storage/v1`) }
}

type Authorization = () => Promise<Readonly<Record<string, string>>>

async function credentials(settings: GcsSettings, baseDirectory: string): Promise<Authorization> {
  const { GoogleAuth } = await import('google-auth-library')
  const auth = new GoogleAuth({
    scopes: scope,
    ...(settings.keyFile === undefined ? {} : { keyFile: resolve(baseDirectory, settings.keyFile) }),
    ...(settings.credentials === undefined ? {} : { credentials: keyOf(settings.credentials.reveal()) }),
  })
  return async () => {
    try {
      return Object.fromEntries(await auth.getRequestHeaders())
    } catch (error) {
      throw remoteError({
        thrown: error,
        doing: 'cannot log in to Google Cloud Storage',
        code: 'storage.login-refused',
        hint: 'set keyFile or GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login',
      })
    }
  }
}

function keyOf(text: string): object {
  try {
    return JSON.parse(text) as object
  } catch {
    throw new HoldfastError('config.invalid', 'credentials is not the JSON of a service account')
  }
}

/** What an answer that is no success means; it has been read to its end. */
export async function answerError(
  response: Response,
  doing: string,
  details: Readonly<Record<string, unknown>>,
): Promise<HoldfastError> {
  const text = await response.text().catch(() => '')
  const reason = reasonOf(text)
  return remoteError({
    thrown: new Error(messageOf(text) ?? `HTTP status ${response.status}`),
    doing,
    status: response.status,
    serviceCode: reason,
    code: ofReason[reason ?? ''],
    retryAfter: response.headers.get('retry-after'),
    details,
  })
}

/** Of the reasons in an error's body (Cloud Storage, "HTTP status and error codes for JSON"). */
const ofReason: Readonly<Record<string, ErrorCode>> = {
  authError: 'storage.login-refused',
  required: 'storage.login-refused',
  rateLimitExceeded: 'storage.busy',
  userRateLimitExceeded: 'storage.busy',
  quotaExceeded: 'storage.full',
  retentionPolicyNotMet: 'storage.retained',
  objectUnderActiveHold: 'storage.retained',
}

function reasonOf(text: string): string | undefined {
  return /"reason":\s*"([A-Za-z]+)"/u.exec(text)?.[1]
}

function messageOf(text: string): string | undefined {
  const json = /"message":\s*"((?:[^"\\]|\\.)*)"/u.exec(text)?.[1]
  if (json !== undefined) return json
  return text === '' || text.length > 500 ? undefined : text.trim()
}
