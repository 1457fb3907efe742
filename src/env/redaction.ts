import { redact, Secret } from './secret.js'

const hidden = '***'

/** Settings whose names tell that their values are secret. */
export const secretName =
  /pass|secret|token|credential|private|accessKey|accountKey|connectionString|signature/iu

/** `user:password@`, as URLs have it; also where the password holds signs that a URL would have encoded. */
const userInfo = /(\b[a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#"<>]*|[^\s/@:"<>]*:[^\s"<>]*)@/giu

/** `?token=…`, `&X-Amz-Signature=…`, and `password=…` as drivers and tools write it. */
const namedValue =
  /(^|[?&;,\s("'{])([\w.-]*(?:token|key|pass|secret|signature|credential)[\w.-]*|sig|pwd|auth)=[^&;,\s"'<>]+/giu

const ageKey = /AGE-SECRET-KEY-[A-Z0-9-]+/giu

/** To its end, or to the end of the text where that has been cut. */
const privateKey = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?)-----.*?(?:-----END \1-----|$)/gsu

/**
 * A text without what can be seen to be a credential by its form alone: user and password in URLs, values of parameters named
 * like a token, key, password or signature, secret keys of age, private keys in PEM.
 */
export function withoutCredentials(text: string): string {
  return text
    .replace(privateKey, hidden)
    .replace(ageKey, hidden)
    .replace(userInfo, `$1${hidden}@`)
    .replace(namedValue, `$1$2=${hidden}`)
}

/**
 * A text that may leave the machine: without the secrets given, also percent-encoded, and {@link withoutCredentials}. A secret
 * of one or two characters is not looked for: it would blank out ordinary words.
 */
export function redactAll(text: string, secrets: readonly Secret[]): string {
  const values = secrets.flatMap((secret) => spellings(secret.reveal()))
  // A secret that is part of another must not break that one in two.
  const longestFirst = [...new Set(values)].sort((one, other) => other.length - one.length)
  const known = redact(
    text,
    longestFirst.map((value) => new Secret(value)),
  )
  return withoutCredentials(known)
}

function spellings(value: string): readonly string[] {
  // A lone surrogate has no percent-encoding.
  return /\p{Surrogate}/u.test(value) ? [value] : [value, encodeURIComponent(value)]
}

/**
 * Every secret in a value of plain objects, lists and texts: each `Secret`, each text under the name of a secret, the password
 * of each URL, the tokens in one that is a `Secret`. Other objects are not looked into.
 */
export function secretsIn(value: unknown): readonly Secret[] {
  if (value instanceof Secret) return [value, ...passwordOf(value.reveal()), ...tokensOf(value.reveal())]
  if (typeof value === 'string') return passwordOf(value)
  if (Array.isArray(value)) return value.flatMap(secretsIn)
  if (!isPlain(value)) return []
  return Object.entries(value).flatMap(([name, each]) =>
    typeof each === 'string' && secretName.test(name) ? [new Secret(each)] : secretsIn(each),
  )
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const shortestToken = 16

/** What is long in the path and query of a secret URL is what makes it one: `https://hooks.example.com/services/TOKEN`. */
function tokensOf(url: string): readonly Secret[] {
  if (!/^https?:/iu.test(url) || !URL.canParse(url)) return []
  const { pathname, searchParams } = new URL(url)
  const pieces = [...pathname.split('/'), ...searchParams.values()]
  return pieces.filter((piece) => piece.length >= shortestToken).map((piece) => new Secret(piece))
}

/** The password of a URL, as it stands there and decoded. */
function passwordOf(url: string): readonly Secret[] {
  const raw = /^[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:(\S+)@/iu.exec(url)?.[1]
  if (raw === undefined) return []
  try {
    return [...new Set([raw, decodeURIComponent(raw)])].map((each) => new Secret(each))
  } catch {
    return [new Secret(raw)]
  }
}
