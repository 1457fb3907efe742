import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { hasTool } from '../test/servers/tools.js'
import type { Case } from './cases/case.js'
import { commandLine } from './cases/command-line.js'
import { devServers } from './cases/dev.js'
import { files } from './cases/files.js'
import { fingerprints } from './cases/fingerprint.js'
import { mariadb } from './cases/mariadb.js'
import { mongodb } from './cases/mongodb.js'
import { portableMongodb } from './cases/mongodb-portable.js'
import { portable } from './cases/portable.js'
import { postgresql } from './cases/postgresql.js'
import { restic } from './cases/restic.js'
import { s3 } from './cases/s3.js'
import { sqlite } from './cases/sqlite.js'
import { tables } from './cases/tables.js'
import { built } from './holdfast.js'
import { plain, table, targetLine } from './report.js'

const cases: readonly Case[] = [
  postgresql,
  mariadb,
  sqlite,
  mongodb,
  tables,
  portable,
  portableMongodb,
  files,
  restic,
  s3,
  commandLine,
  devServers,
  ...fingerprints,
]
const sizes: Readonly<Record<string, number>> = { tiny: 20e6, small: 300e6, full: 2e9 }
const results = fileURLToPath(new URL('results', import.meta.url))

function usage(): string {
  return `npm run bench -- [CASE…] [--size ${Object.keys(sizes).join('|')}]

Measures all cases, or those that are named, beside the tools that people use: a table and a line for each target.

Cases: ${cases.map(({ name }) => name).join(', ')}`
}

/** `bench/run.mjs [name…] [--size tiny|small|full]`: measures, prints a table and a line per target, and keeps both as JSON. */
export async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { size: { type: 'string', default: 'small' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help === true) {
    console.log(usage())
    return
  }
  const bytes = sizes[values.size]
  if (bytes === undefined) throw new Error(`--size is one of ${Object.keys(sizes).join(', ')}`)
  const unknown = positionals.filter((name) => !cases.some((one) => one.name === name))
  if (unknown.length > 0)
    throw new Error(
      `no such case: ${unknown.join(', ')}; there are ${cases.map(({ name }) => name).join(', ')}`,
    )
  for (const tool of ['bash', 'zstd', 'sqlite3'])
    if (!hasTool(tool)) throw new Error(`${tool} is not installed`)
  if (!built) console.error('there is no build in dist: only the peers are measured')
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  const chosen = positionals.length === 0 ? cases : cases.filter(({ name }) => positionals.includes(name))
  for (const one of chosen) await runCase(one, bytes)
}

async function runCase(one: Case, bytes: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  // Gigabytes: removed on Ctrl-C and on a crash too.
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    const report = await one.run({ bytes, folder, report: (line) => console.error(line) })
    for (const group of report.groups) console.log(`\n${table(group)}`)
    console.log(`\n${report.targets.map(targetLine).join('\n')}\n`)
    await mkdir(results, { recursive: true })
    const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version }
    const json = JSON.stringify(
      { measured: new Date().toISOString(), machine, ...(plain(report) as object) },
      undefined,
      2,
    )
    await writeFile(join(results, `${one.name}.json`), `${json}\n`)
  } finally {
    process.off('exit', remove)
    remove()
  }
}
