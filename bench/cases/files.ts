import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeLargeFile, makeSmallFiles } from '../data/trees.js'
import { built, holdfast } from '../holdfast.js'
import { measure, quoted, race, type Contestant } from '../measure.js'
import type { Group, Target } from '../report.js'
import { memoryTarget, timesTarget, type Bench, type Case } from './case.js'

/** 100 000 at the small size. */
const bytesPerFile = 3000

export const files: Case = {
  name: 'files',
  async run(bench) {
    const count = Math.min(100_000, Math.round(bench.bytes / bytesPerFile))
    const largeBytes = bench.bytes * 2
    const small = join(bench.folder, 'small')
    const large = join(bench.folder, 'large')
    bench.report(`files: making ${count} small files and one of ${largeBytes} bytes`)
    makeSmallFiles(small, count)
    makeLargeFile(large, largeBytes)
    const trees = [
      { name: `${count} small files`, folder: small },
      { name: 'one large file', folder: large },
    ]
    const groups: Group[] = []
    const targets: Target[] = []
    for (const tree of trees) {
      await measure({ name: 'warming up', command: `tar -cf - ${quoted(tree.folder)} | cat > /dev/null` })
      for (const race of [raceBackups, raceRestores]) {
        const raced = await race(bench, tree.name, tree.folder)
        groups.push(raced.group)
        targets.push(...raced.targets)
      }
    }
    return { name: 'files', facts: { smallFiles: count, largeBytes }, groups, targets }
  },
}

interface Raced {
  readonly group: Group
  readonly targets: readonly Target[]
}

const peerBackup = 'tar -cf -, zstd -T2 -3'
const ourBackup = 'holdfast files backup'
const peerRestore = 'zstd -dc, tar -xf -'
const ourRestore = 'holdfast files restore'

async function raceBackups({ folder, report }: Bench, name: string, tree: string): Promise<Raced> {
  const output = join(folder, 'tree.tar.zst')
  const own = join(folder, 'own')
  const storage = join(own, 'storage')
  const config = join(own, 'holdfast.config.json')
  await mkdir(own, { recursive: true })
  const settings = { files: { tree }, storages: { main: { driver: 'local', path: storage } } }
  await writeFile(config, JSON.stringify(settings), { mode: 0o600 })
  const peer: Contestant = {
    name: peerBackup,
    command: `tar -C ${quoted(tree)} -cf - . | zstd -T2 -3 -q -f -o ${quoted(output)}`,
    output,
  }
  const ours: Contestant = {
    name: ourBackup,
    command: holdfast('files', 'backup', '--config', config),
    output: storage,
    prepare: () => rm(storage, { recursive: true, force: true }),
  }
  const results = await race(built ? [peer, ours] : [peer], report)
  return {
    group: { title: `Backup, ${name}`, results },
    targets: targetsOf(`files backup, ${name}`, results, ourBackup, peerBackup, 1.3),
  }
}

async function raceRestores({ folder, report }: Bench, name: string, tree: string): Promise<Raced> {
  const target = join(folder, 'restored')
  const config = join(folder, 'own', 'holdfast.config.json')
  const prepare = () => rm(target, { recursive: true, force: true })
  const peer: Contestant = {
    name: peerRestore,
    command: `mkdir ${quoted(target)} && zstd -dcq ${quoted(join(folder, 'tree.tar.zst'))} | tar -C ${quoted(target)} -xf -`,
    prepare,
  }
  const ours: Contestant = {
    name: ourRestore,
    command: holdfast('files', 'restore', '--config', config, '--to', target, '--yes'),
    prepare,
  }
  const results = await race(built ? [peer, ours] : [peer], report)
  // A restore of half the files would be quick for nothing.
  if (built)
    await measure({ name: 'the files are the same', command: `diff -r ${quoted(tree)} ${quoted(target)}` })
  await prepare()
  const memory = results.get(ourRestore)
  return {
    group: { title: `Restore, ${name}`, results },
    targets: memory === undefined ? [] : [memoryTarget(`files restore, ${name}`, memory)],
  }
}

function targetsOf(
  what: string,
  results: Group['results'],
  oursName: string,
  peerName: string,
  limit: number,
): readonly Target[] {
  const ours = results.get(oursName)
  const peer = results.get(peerName)
  if (!ours || !peer) return []
  return [timesTarget(`${what}, time against ${peerName}`, ours, peer, limit), memoryTarget(what, ours)]
}
