import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Many tests run programs of the package: a build that is older than the sources is made anew. `npm test` has just made one. */
export function setup(): void {
  const built = join(root, 'dist/cli/main.js')
  if (existsSync(built) && newest(join(root, 'src')) <= statSync(built).mtimeMs) return
  execFileSync('npm', ['run', '--silent', 'build:quiet'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
}

function newest(folder: string): number {
  const sources = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  return Math.max(...sources.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs))
}
