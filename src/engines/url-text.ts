import { HoldfastError } from '../errors.js'

export const encodingHint =
  'percent-encode special characters of user, password and database: / is %2F, # is %23, ? is %3F, @ is %40'

/** A part of a URL as it is meant. @param what for the error: `the password`. @throws config.invalid, without the part */
export function decode(text: string, what: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(text)
  } catch {
    throw invalid(`${what} in the URL is not percent-encoded rightly`, encodingHint)
  }
  if (decoded.includes('\0')) throw invalid(`${what} in the URL holds a zero byte`)
  return decoded
}

export function invalid(message: string, hint?: string): HoldfastError {
  return new HoldfastError('config.invalid', message, hint === undefined ? {} : { hint })
}
