import { open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Env } from '../env/env.js'
import { HoldfastError } from '../errors.js'
import type { RunReport, RunSubject } from './run-report.js'

const labels = ['server', 'database', 'storage'] as const
type Labels = Readonly<Record<(typeof labels)[number], string>>

/** What is told of each operation, by the end of the metric's name: `holdfast_backup_result`. */
const meanings = {
  last_success_timestamp_seconds: 'When it last succeeded, in Unix time.',
  last_run_timestamp_seconds: 'When it was last tried, in Unix time.',
  result: '1 where the last run succeeded, 0 where it failed.',
  duration_seconds: 'How long it took when it last succeeded.',
  size_bytes: 'Bytes in the storage when it last succeeded.',
  plain_bytes: 'Bytes of the dump, before compression, when it last succeeded.',
  rows: 'Rows of all tables when it last succeeded; not there where they were not counted.',
} as const
type Measure = keyof typeof meanings

/** One line of the file. */
interface Sample {
  readonly name: string
  readonly labels: Labels
  readonly value: number
}

/** Without a value what an earlier run has told is not so any more. */
type Told = Omit<Sample, 'value'> & { readonly value: number | undefined }

const ourName = new RegExp(`^holdfast_[a-z_]+_(?:${Object.keys(meanings).join('|')})$`, 'u')

/**
 * Brings the text file of metrics up to date with a run: what the run says nothing of stays, such as other databases and the
 * last success of what has failed now. The file appears as a whole, and everybody may read it.
 * @throws hook.failed for a file that Holdfast did not write; system errors
 */
export async function updateMetricsFile(env: Env, path: string, report: RunReport): Promise<void> {
  const samples = new Map((await readSamples(path)).map((sample) => [keyOf(sample), sample]))
  for (const { value, ...sample } of toldOf(report)) {
    if (value === undefined) samples.delete(keyOf(sample))
    else samples.set(keyOf(sample), { ...sample, value })
  }
  await replaceFile(env, path, await render([...samples.values()]))
}

function keyOf({ name, labels }: Omit<Sample, 'value'>): string {
  return JSON.stringify([name, labels.server, labels.database, labels.storage])
}

function toldOf(report: RunReport): readonly Told[] {
  const prefix = `holdfast_${report.operation.replaceAll('-', '_')}`
  const finished = Date.parse(report.finished) / 1000
  return [...byPlace(report.subjects)].flatMap(([place, subjects]) => {
    const [database = '', storage = ''] = JSON.parse(place) as string[]
    const succeeded = subjects.every(({ reached }) => reached)
    const sum = (field: 'seconds' | 'storedBytes' | 'plainBytes' | 'rows') =>
      subjects.every(({ subject }) => subject[field] !== undefined)
        ? subjects.reduce((total, { subject }) => total + (subject[field] ?? 0), 0)
        : undefined
    const values: Partial<Record<Measure, number | undefined>> = {
      last_run_timestamp_seconds: finished,
      result: succeeded && !subjects.some(({ subject }) => failedAfterwards(subject)) ? 1 : 0,
      ...(succeeded
        ? {
            last_success_timestamp_seconds: finished,
            duration_seconds: sum('seconds'),
            size_bytes: sum('storedBytes'),
            plain_bytes: sum('plainBytes'),
            rows: sum('rows'),
          }
        : {}),
    }
    return Object.entries(values).map(([measure, value]) => ({
      name: `${prefix}_${measure}`,
      labels: { server: report.server, database, storage },
      value,
    }))
  })
}

/** Every storage has the backup, and a hook or retention failed after it: there is a backup, and the run did not succeed. */
function failedAfterwards({ result, storages }: RunSubject): boolean {
  return result === 'partial' && storages.every(({ ok }) => ok)
}

interface Reached {
  readonly subject: RunSubject
  readonly reached: boolean
}

/** A subject stands in each of its storages; one without any (a backup to a path) has an empty label. */
function byPlace(subjects: readonly RunSubject[]): ReadonlyMap<string, readonly Reached[]> {
  const places = new Map<string, Reached[]>()
  for (const subject of subjects) {
    const none = [{ name: '', ok: subject.result !== 'failure' }]
    for (const { name, ok } of subject.storages.length > 0 ? subject.storages : none) {
      const place = JSON.stringify([subject.name, name])
      places.set(place, [...(places.get(place) ?? []), { subject, reached: ok }])
    }
  }
  return places
}

async function render(samples: readonly Sample[]): Promise<string> {
  const { Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  const names = [...new Set(samples.map(({ name }) => name))].sort()
  for (const name of names) {
    const gauge = new Gauge({ name, help: helpOf(name), labelNames: labels, registers: [registry] })
    for (const sample of samples.filter((each) => each.name === name)) gauge.set(sample.labels, sample.value)
  }
  return registry.metrics()
}

/** The same in every file: the node exporter takes no two texts for one name. */
function helpOf(name: string): string {
  const [measure, meaning = ''] = Object.entries(meanings).find(([each]) => name.endsWith(`_${each}`)) ?? []
  const operation = name.slice('holdfast_'.length, -`_${measure}`.length).replaceAll('_', ' ')
  return `holdfast ${operation}: ${meaning}`
}

/** @throws hook.failed where a line is none of ours: the file is another's */
async function readSamples(path: string): Promise<readonly Sample[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => {
    const sample = parseSample(line)
    if (sample !== undefined) return sample
    throw new HoldfastError(
      'hook.failed',
      `${path} holds metrics that are not Holdfast's; it is left as it is`,
    )
  })
}

/** `name{label="value",…} 1`: the text format of Prometheus, version 0.0.4. */
function parseSample(line: string): Sample | undefined {
  const [, name = '', inside = '', value = ''] = /^(\w+)\{(.*)\} (\S+)$/su.exec(line) ?? []
  const pairs = [...inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/gsu)].map(([, label, text = '']) => [
    label,
    text.replace(/\\(.)/gsu, (_, sign: string) => (sign === 'n' ? '\n' : sign)),
  ])
  const found = Object.fromEntries(pairs) as Partial<Labels>
  const { server, database, storage } = found
  if (!ourName.test(name) || server === undefined || database === undefined || storage === undefined)
    return undefined
  return { name, labels: { server, database, storage }, value: Number(value) }
}

/** The node exporter reads at any time: the file is whole at every moment. It reads no name that does not end in .prom. */
async function replaceFile(env: Env, path: string, text: string): Promise<void> {
  const partial = join(
    dirname(path),
    `.${basename(path)}.${Buffer.from(env.randomBytes(6)).toString('hex')}.partial`,
  )
  try {
    const file = await open(partial, 'wx', 0o644)
    try {
      // Whatever the umask is: the node exporter runs as another user.
      await file.chmod(0o644)
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}
