import { HoldfastError } from '../../errors.js'

/** A name on the way to an entry, never empty, `.` or `..`. */
export type PathNames = readonly Buffer[]

/** The names of an entry's path; none for the folder of the archive itself. @throws integrity.format for what reaches outside it */
export function entryNames(path: Buffer, what = 'entry'): PathNames {
  const text = path.toString('latin1')
  const unsafe = (why: string) => unsafeEntry(path, `${what} ${why}`)
  if (text.startsWith('/')) throw unsafe('has an absolute name')
  if (text.includes('\0')) throw unsafe('has a NUL in its name')
  if (process.platform === 'win32' && /[\\:]/u.test(text))
    throw unsafe('has a name that Windows takes for another')
  const names = text.split('/').filter((name) => name !== '' && name !== '.')
  if (names.includes('..')) throw unsafe('has .. in its name')
  return names.map((name) => Buffer.from(name, 'latin1'))
}

export function unsafeEntry(path: Buffer, why: string): HoldfastError {
  return new HoldfastError('integrity.format', `${shownPath(path)} is not restored: the ${why}`, {
    hint: 'the archive is hostile, or no backup of files: look at it with tar -tvf',
  })
}

/** For messages, and for patterns. */
export function shownPath(path: Buffer): string {
  return path.toString('utf8').replace(/^\.\//u, '')
}

/**
 * Whether a symbolic link can lead out of the folder that is restored. Only a link that first goes up, no further than that folder, and
 * then down by names cannot: what follows the name of another link would be elsewhere.
 * @param depth how many folders the link is below that one
 */
export function leadsOut(link: Buffer, depth: number): boolean {
  const text = link.toString('latin1')
  if (text.startsWith('/') || (process.platform === 'win32' && /^\\|:/u.test(text))) return true
  const names = text.split(/[/\\]/u).filter((name) => name !== '' && name !== '.')
  const ups = names.findIndex((name) => name !== '..')
  const leading = ups < 0 ? names.length : ups
  return leading > depth || names.slice(leading).includes('..')
}
