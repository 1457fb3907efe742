import type { Operation } from '../events.js'
import type { RunError, RunReport, RunStorage, RunSubject } from '../run-report.js'

/** What is told to a person. */
export interface Message {
  /** One line. */
  readonly subject: string
  readonly body: string
}

const verbs: Readonly<Record<Operation, string>> = {
  backup: 'backup',
  restore: 'restore',
  verify: 'verification',
  drill: 'restore drill',
  prune: 'retention',
  'files-backup': 'backup of files',
  dump: 'dump',
  load: 'load',
  copy: 'copy',
  'files-restore': 'restore of files',
}

/** One message for the whole run: what failed first, with what to do; then what is whole, and where. */
export function messageOf(report: RunReport): Message {
  const { error, subjects } = report
  const failed = subjects.filter(({ result }) => result !== 'success')
  const done = subjects.filter(({ result }) => result === 'success')
  const untouched = failed.filter((subject) => subject.error === undefined)
  const sections = [
    error === undefined ? [] : [errorText(error)],
    failed.filter((subject) => subject.error !== undefined).map(failureText),
    untouched.length === 0 ? [] : [`not done: ${untouched.map(({ name }) => name).join(', ')}`],
    done.map(successText),
  ]
  const facts = [
    `server:  ${report.server}`,
    `started: ${report.started}`,
    `took:    ${duration(report.seconds)}`,
    ...(failed.length > 0 && report.operation === 'backup' ? ['earlier backups: holdfast list'] : []),
  ]
  const subject = oneLine(subjectOf(report))
  return { subject, body: [subject, ...sections.flat(), facts.join('\n')].join('\n\n') + '\n' }
}

/** `backup partly failed: 1 of 3 databases`. */
function subjectOf({ operation, result, subjects, error }: RunReport): string {
  const verb = verbs[operation]
  const failed = subjects.filter((subject) => subject.result !== 'success')
  const interrupted = error?.code.startsWith('interrupted.') === true
  if (interrupted) return `${verb} interrupted${countText(operation, failed, subjects)} not done`
  if (result === 'success') return `${verb} done${countText(operation, subjects, subjects)}`
  const how = result === 'partial' ? 'partly failed' : 'failed'
  return `${verb} ${how}${countText(operation, failed, subjects)}`
}

function countText(operation: Operation, counted: readonly RunSubject[], all: readonly RunSubject[]): string {
  const [first] = all
  if (first === undefined) return ''
  if (all.length === 1) return `: ${first.name}`
  const databases = operation !== 'verify' && all.every(({ kind }) => kind === 'database')
  const what = databases ? 'databases' : 'backups'
  return counted.length === all.length
    ? `: ${all.length} ${what}`
    : `: ${counted.length} of ${all.length} ${what}`
}

function errorText({ code, message, hint }: RunError): string {
  return `${message} [${code}]\n${hint}`
}

function failureText(subject: RunSubject): string {
  const { name, id, result, error, storages } = subject
  const whole = storages.filter(({ ok }) => ok).map((storage) => storage.name)
  const lines = [
    `${result === 'partial' ? 'PARTLY FAILED' : 'FAILED'}: ${name}`,
    ...(error === undefined ? [] : errorText(error).split('\n')),
    ...(whole.length > 0 ? [`whole in ${whole.join(', ')}: ${backupText(subject)}`] : []),
    ...(whole.length === 0 && id !== undefined ? [`${id} in ${names(storages)}`] : []),
    ...warningLines(subject),
  ]
  return lines.map(oneLine).join('\n  ')
}

function successText(subject: RunSubject): string {
  const { name, storages, seconds } = subject
  const places = names(storages)
  const facts = [
    backupText(subject),
    ...(places === '' ? [] : [`storage: ${places}`]),
    ...(seconds === undefined ? [] : [duration(seconds)]),
  ]
  const lines = [`done: ${name}`, ...facts.filter((fact) => fact !== ''), ...warningLines(subject)]
  return lines.map(oneLine).join('\n  ')
}

/** What identifies the backup, and its size. */
function backupText({ filename, id, storedBytes, plainBytes, removed }: RunSubject): string {
  const size = storedBytes === undefined ? undefined : `${number(storedBytes)} bytes`
  const plain =
    size === undefined || plainBytes === undefined ? size : `${size} (the dump: ${number(plainBytes)})`
  const pruned =
    removed === undefined ? undefined : `${removed} old ${removed === 1 ? 'backup' : 'backups'} removed`
  return [filename, id, plain, pruned].filter((fact) => fact !== undefined).join(', ')
}

function names(storages: readonly RunStorage[]): string {
  return storages.map(({ name }) => name).join(', ')
}

function warningLines({ warnings }: RunSubject): readonly string[] {
  return warnings.flatMap((warning) => `warning: ${warning}`.split('\n'))
}

function number(bytes: number): string {
  return bytes.toLocaleString('en-US')
}

function duration(seconds: number): string {
  return seconds < 60
    ? `${seconds.toFixed(1)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

/** A name with a line break in it would begin a header of its own, or say what is not so. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
