import { DatabaseSync } from '@photostructure/sqlite'
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { backupContestant, built, holdfast } from '../holdfast.js'
import { measure, medians, type Measured } from '../measure.js'
import type { Case } from './case.js'

const starts = 10
const backups = 1_000

/** How long a user waits for the command line itself. */
export const commandLine: Case = {
  name: 'command-line',
  async run(bench) {
    if (!built) return { name: 'command-line', facts: {}, groups: [], targets: [] }
    const version = await repeated('holdfast --version', holdfast('--version'))
    const source = join(bench.folder, 'small.sqlite3')
    const database = new DatabaseSync(source)
    database.exec("create table greeting (text text); insert into greeting values ('hello')")
    database.close()
    const backup = await backupContestant({ name: 'backup', url: `sqlite:${source}`, folder: bench.folder })
    await measure(backup)
    await copyBackup(join(bench.folder, 'storage', 'default'))
    const command = holdfast('list', '--config', backup.config)
    // A list of fewer would be quick for nothing.
    await measure({
      name: 'the list is whole',
      command: `${command} | grep -c default | grep -qx ${backups}`,
    })
    const list = await repeated(`holdfast list of ${backups} backups`, command)
    return {
      name: 'command-line',
      facts: { starts, backups },
      groups: [{ title: 'Command line', results: new Map([version, list]) }],
      targets: [
        { claim: version[0], value: version[1].wallSeconds * 1000, limit: 150, unit: 'ms', bound: 'at most' },
        { claim: list[0], value: list[1].wallSeconds * 1000, limit: 1000, unit: 'ms', bound: 'at most' },
      ],
    }
  },
}

async function repeated(name: string, command: string): Promise<[string, Measured]> {
  const all: Measured[] = []
  for (let index = 0; index < starts; index += 1) all.push(await measure({ name, command }))
  return [name, medians(all)]
}

/** Makes a thousand backups of one: each with its own time, id, artifact and manifest. */
async function copyBackup(folder: string): Promise<void> {
  const names = await readdir(folder)
  const manifestName = names.find((name) => name.endsWith('.manifest.json'))
  const artifact = names.find((name) => name !== manifestName)
  if (manifestName === undefined || artifact === undefined) throw new Error(`no backup in ${folder}`)
  const manifest = await readFile(join(folder, manifestName), 'utf8')
  const { id, created } = JSON.parse(manifest) as { id: string; created: string }
  for (let index = 1; index < backups; index += 1) {
    const time = new Date(Date.parse(created) - index * 3_600_000).toISOString()
    const copyId = `${time.replace(/[-:.]/gu, '')}${id.slice(id.indexOf('-'))}`
    const copy = `${index}-${artifact}`
    await copyFile(join(folder, artifact), join(folder, copy))
    await writeFile(
      join(folder, `${copyId}.manifest.json`),
      manifest.replaceAll(id, copyId).replaceAll(created, time).replaceAll(artifact, copy),
    )
  }
}
