import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeSqlite } from '../data/sqlite.js'
import { backupContestant, built, restoreCommand } from '../holdfast.js'
import { measure, quoted, race, type Contestant, type Measured } from '../measure.js'
import type { Group, Target } from '../report.js'
import { memoryTarget, timesTarget, type Bench, type Case } from './case.js'

const writerProgram = fileURLToPath(new URL('../data/sqlite-writer.mjs', import.meta.url))

export const sqlite: Case = {
  name: 'sqlite',
  async run(bench) {
    const source = join(bench.folder, 'shop.sqlite3')
    bench.report('SQLite: making the database')
    makeSqlite(source, bench.bytes)
    await measure({ name: 'warming up', command: `cat ${quoted(source)} > /dev/null` })
    const backups = await raceBackups(bench, source)
    const restores = await raceRestores(bench)
    return {
      name: 'sqlite',
      facts: { bytes: bench.bytes },
      groups: [backups, restores],
      targets: [...backupTargets(backups.results), ...restoreTargets(restores.results)],
    }
  },
}

const shellBackup = 'sqlite3 .backup, zstd -T2 -3, no writer'
const ourBackup = 'holdfast, no writer'
const shellWithWriter = 'sqlite3 VACUUM INTO, zstd -T2 -3, with a writer'
const ourWithWriter = 'holdfast, with a writer'
const shellRestore = 'zstd -dc, sqlite3 .restore'
const ourRestore = 'holdfast restore'

async function raceBackups(bench: Bench, source: string): Promise<Group> {
  const output = join(bench.folder, 'z3.zst')
  const copy = join(bench.folder, 'copy.sqlite3')
  const shell = (name: string, sql: string): Contestant => ({
    name,
    command: [
      `sqlite3 ${quoted(source)} ${quoted(sql)}`,
      `zstd -T2 -3 -q -f ${quoted(copy)} -o ${quoted(output)}`,
      `rm ${quoted(copy)}`,
    ].join(' && '),
    output,
  })
  const ours = (name: string, folder: string) =>
    backupContestant({ name, url: `sqlite:${source}`, folder: join(bench.folder, folder) })
  const contestants = [
    shell(shellBackup, `.backup '${copy}'`),
    ...(built ? [await ours(ourBackup, 'default')] : []),
    // The shell's .backup begins again whenever somebody else has written: with a writer it would not end.
    withWriter(shell(shellWithWriter, `vacuum into '${copy}'`), source),
    ...(built ? [withWriter(await ours(ourWithWriter, 'writer'), source)] : []),
  ]
  return { title: 'SQLite, backup', results: await race(contestants, bench.report) }
}

function withWriter(contestant: Contestant, source: string): Contestant {
  return { ...contestant, beside: [process.execPath, writerProgram, source] }
}

function backupTargets(results: ReadonlyMap<string, Measured>): readonly Target[] {
  const ours = results.get(ourBackup)
  const oursWithWriter = results.get(ourWithWriter)
  const peer = results.get(shellBackup)
  const peerWithWriter = results.get(shellWithWriter)
  if (!ours || !oursWithWriter || !peer || !peerWithWriter) return []
  return [
    timesTarget('SQLite backup, time against .backup then zstd', ours, peer, 1.3),
    timesTarget(
      'SQLite backup with a writer, time against VACUUM INTO then zstd with a writer',
      oursWithWriter,
      peerWithWriter,
      1.3,
    ),
    timesTarget(
      'SQLite backup with a writer, time against .backup then zstd without one',
      oursWithWriter,
      peer,
      1.3,
    ),
    memoryTarget('SQLite backup', oursWithWriter),
  ]
}

async function raceRestores(bench: Bench): Promise<Group> {
  const target = join(bench.folder, 'restored.sqlite3')
  const copy = quoted(join(bench.folder, 'copy.sqlite3'))
  const prepare = async () => {
    for (const ending of ['', '-wal', '-shm', '-journal']) await rm(target + ending, { force: true })
  }
  const peer: Contestant = {
    name: shellRestore,
    command: `zstd -dcf ${quoted(join(bench.folder, 'z3.zst'))} > ${copy} && sqlite3 ${quoted(target)} ${quoted(`.restore ${copy}`)} && rm ${copy}`,
    prepare,
  }
  const ours: readonly Contestant[] = built
    ? [
        {
          name: ourRestore,
          command: restoreCommand(join(bench.folder, 'default', 'holdfast.config.json'), `sqlite:${target}`),
          prepare,
        },
      ]
    : []
  const results = await race([peer, ...ours], bench.report)
  // A restore of half the rows would be quick for nothing.
  await measure({
    name: 'the restored database is whole',
    command: `sqlite3 ${quoted(target)} 'pragma integrity_check' | grep -qx ok`,
  })
  return { title: 'SQLite, restore', results }
}

function restoreTargets(results: ReadonlyMap<string, Measured>): readonly Target[] {
  const ours = results.get(ourRestore)
  const peer = results.get(shellRestore)
  if (!ours || !peer) return []
  return [
    timesTarget('SQLite restore, time against zstd -dc then .restore', ours, peer, 1.1),
    memoryTarget('SQLite restore', ours),
  ]
}
