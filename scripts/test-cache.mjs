import { homedir } from 'node:os'
import { join } from 'node:path'

/** A folder outside the project for what the tests need and no package manager has; its name changes with the version. */
export function testCache(name) {
  const caches =
    process.env.XDG_CACHE_HOME ||
    (process.platform === 'win32' ? process.env.LOCALAPPDATA : undefined) ||
    join(homedir(), '.cache')
  return join(caches, 'holdfast-test', name)
}
