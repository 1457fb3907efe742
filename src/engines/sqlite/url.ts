import { isAbsolute, resolve } from 'node:path'
import type { ConnectionSettings } from '../../engine/engine.js'
import { HoldfastError } from '../../errors.js'

/** What drivers and tools put before the path of a SQLite file. */
export const schemes = ['sqlite', 'sqlite3', 'better-sqlite3', 'libsql', 'file'] as const

/**
 * The settings of `sqlite:./app.db`, `sqlite:///abs/app.db`, `sqlite://app.db`, `file:./dev.db?connection_limit=1` and their
 * like. Percent escapes are decoded, as in any URL; a `#` is part of the name.
 * @throws config.invalid; usage.not-supported for a database in memory or on a server
 */
export function parseUrl(url: string, baseDirectory: string): ConnectionSettings {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/isu.exec(url) ?? []
  if (!(schemes as readonly string[]).includes(scheme.toLowerCase())) {
    throw new HoldfastError('config.invalid', `not the URL of a SQLite file: ${url}`)
  }
  const questionMark = rest.indexOf('?')
  const place = decode(questionMark < 0 ? rest : rest.slice(0, questionMark))
  const parameters = Object.fromEntries(new URLSearchParams(questionMark < 0 ? '' : rest.slice(questionMark)))
  if (place.includes(':memory:') || parameters['mode'] === 'memory') throw inMemory(url)
  const path = pathOf(scheme.toLowerCase(), place, url)
  if (path === '') throw new HoldfastError('config.invalid', `the URL names no file: ${url}`)
  return { engine: 'sqlite', name: resolve(baseDirectory, path), parameters }
}

/** `///abs` is absolute; `//name` is relative, as sqlx and others have it; `file:` may name this machine as host. */
function pathOf(scheme: string, place: string, url: string): string {
  if (!place.startsWith('//')) return place
  const path = place.slice(2)
  if (scheme === 'libsql' && path !== '' && !path.startsWith('/')) {
    throw new HoldfastError('usage.not-supported', `a libsql server is not a SQLite file: ${url}`, {
      hint: 'name a file: libsql:./app.db',
    })
  }
  if (scheme === 'file' && path !== '' && !path.startsWith('/')) {
    if (!/^localhost\//iu.test(path))
      throw new HoldfastError('config.invalid', `a file URL on another machine: ${url}`)
    return path.slice('localhost'.length)
  }
  // On Windows the slash before a drive is none of the path: sqlite:///C:/app.db
  return isAbsolute(path.slice(1)) ? path.slice(1) : path
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that is no escape stands for itself.
    return text
  }
}

function inMemory(url: string): HoldfastError {
  return new HoldfastError(
    'usage.not-supported',
    `a database in memory lives only in its own process: ${url}`,
    {
      hint: 'name a file: sqlite:./app.db',
    },
  )
}
