import { DatabaseSync } from '@photostructure/sqlite'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasTool } from '../../test/servers/tools.js'
import { makeSqlite } from '../data/sqlite.js'
import { built, holdfast } from '../holdfast.js'
import { measure, quoted, type Contestant, type Measured } from '../measure.js'
import type { Case } from './case.js'

const days = 10

/** Of each day, the newest rows: what an application that is in use changes. */
const changedShare = 0.01

const password = 'bench'

/** What ten daily dumps take of a repository of restic, beside ten files of zstd, and restic by hand. */
export const restic: Case = {
  name: 'restic',
  async run(bench) {
    if (!built || !hasTool('restic')) return { name: 'restic', facts: {}, groups: [], targets: [] }
    const bytes = Math.round(bench.bytes / 3)
    const source = join(bench.folder, 'shop.sqlite3')
    bench.report('restic: making the database')
    makeSqlite(source, bytes)
    const { zstd, hand, ours } = await contestants(bench.folder, source)
    const results = new Map<string, Measured>()
    for (let day = 0; day < days; day += 1) {
      if (day > 0) changeNewest(source, day)
      bench.report(`day ${day + 1}`)
      for (const each of [zstd, hand, ours]) add(results, each.name, await measure(each))
    }
    const stored = ({ name }: Contestant) => results.get(name)?.outputBytes ?? NaN
    return {
      name: 'restic',
      facts: { bytes, days, changedShare },
      groups: [{ title: 'Ten daily dumps, 1 % of the rows changed', results }],
      targets: [
        target('bytes stored, against restic by hand', stored(ours) / stored(hand), 1.05),
        target('bytes stored, against files of zstd', stored(ours) / stored(zstd), 0.5),
      ],
    }
  },
}

function target(claim: string, value: number, limit: number) {
  return { claim, value, limit, unit: '×', bound: 'at most' } as const
}

async function contestants(folder: string, source: string) {
  const [files, byHand, own] = ['files', 'by-hand', 'own'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  await mkdir(files)
  await mkdir(own)
  const copy = join(folder, 'copy.sqlite3')
  const env = {
    RESTIC_REPOSITORY: byHand,
    RESTIC_PASSWORD: password,
    RESTIC_CACHE_DIR: join(folder, 'cache'),
  }
  const repository = join(own, 'repository')
  // Where a repository cuts is drawn by lot when it is made: both cut alike.
  const alike = `restic init -r ${quoted(repository)} --from-repo ${quoted(byHand)} --copy-chunker-params`
  const login = { ...env, RESTIC_FROM_PASSWORD: password }
  await measure({ name: 'init', command: `restic init && ${alike}`, env: login })
  const config = join(own, 'holdfast.config.json')
  const storage = { driver: 'restic', repository: './repository', password, cacheDirectory: './cache' }
  const settings = { databases: { shop: `sqlite:${source}` }, storages: { main: storage } }
  await writeFile(config, JSON.stringify(settings), { mode: 0o600 })
  // With what may lie beside it: the copy is in WAL mode as its source is.
  const taken = `rm -f ${quoted(copy)}* && sqlite3 ${quoted(source)} ${quoted(`.backup '${copy}'`)}`
  return {
    zstd: {
      name: 'sqlite3 .backup, zstd -3',
      command: `${taken} && zstd -T2 -3 -q ${quoted(copy)} -o ${quoted(files)}/$(date +%s%N).zst`,
      output: files,
    },
    hand: {
      name: 'sqlite3 .backup, restic backup --stdin',
      command: `${taken} && restic backup -q --stdin --stdin-filename shop.sqlite3 < ${quoted(copy)}`,
      env,
      output: byHand,
    },
    ours: {
      name: 'holdfast backup to restic',
      command: holdfast('backup', '--config', config),
      output: repository,
    },
  } satisfies Record<string, Contestant>
}

function changeNewest(source: string, day: number): void {
  const database = new DatabaseSync(source)
  try {
    const names = database
      .prepare(
        "select t.name from sqlite_schema t join pragma_table_info(t.name) c on c.name = 'id' where t.type = 'table'",
      )
      .all() as { name: string }[]
    for (const { name } of names) {
      const columns = database
        .prepare(`select name from pragma_table_info('${name}') where type like 'text%'`)
        .all() as {
        name: string
      }[]
      const [column] = columns
      if (column === undefined) continue
      database.exec(
        `update ${name} set ${column.name} = ${column.name} || ' ${day}'
         where id > (select max(id) from ${name}) * ${1 - changedShare}`,
      )
    }
    database.exec('pragma wal_checkpoint(truncate)')
  } finally {
    database.close()
  }
}

/** Times of all days together, the bytes as they are after the last. */
function add(results: Map<string, Measured>, name: string, one: Measured): void {
  const before = results.get(name)
  results.set(name, {
    ...one,
    wallSeconds: one.wallSeconds + (before?.wallSeconds ?? 0),
    bestSeconds: one.bestSeconds + (before?.bestSeconds ?? 0),
    cpuSeconds: one.cpuSeconds + (before?.cpuSeconds ?? 0),
    peakBytes: Math.max(one.peakBytes, before?.peakBytes ?? 0),
  })
}
