import { withoutCredentials } from '../env/redaction.js'
import { asHoldfastError, type HoldfastError } from '../errors.js'
import type { Operation } from '../hooks/events.js'
import type { RunError, RunReport, RunSubject } from '../hooks/run-report.js'
import { redaction } from './known-secrets.js'
import { runReport } from './run-report.js'
import { notice, type Workspace } from './workspace.js'

/** Who has interrupted a run does not wait long for its notifiers. */
const interruptedMs = 5_000

/** A run that others are told of. */
export interface ToldRun<Result> {
  readonly operation: Operation
  /** What the caller asked for, which may hold secrets: the password in a URL. */
  readonly request: { readonly signal?: AbortSignal }
  /** What became of each database; without a result where the run was ended before it had one. */
  subjects(result: Result | undefined): readonly RunSubject[]
}

/**
 * Runs an operation, and tells notifiers and the metrics file what became of it. Their failures are warnings: what the operation
 * gives or throws is passed on as it is.
 */
export async function tellRun<Result>(
  workspace: Workspace,
  run: ToldRun<Result>,
  work: () => Promise<Result>,
): Promise<Result> {
  const { notifiers, metricsFile, serverName } = workspace.settings
  if (notifiers.length === 0 && metricsFile === undefined) return work()
  const { Notifications } = await import('../hooks/notifiers/notifications.js')
  const redact = redaction(workspace.settings, run.request)
  const notifications = new Notifications(workspace, notifiers, redact)
  const start = {
    operation: run.operation,
    server: serverName,
    started: workspace.env.clock.now().toISOString(),
  }
  notifications.started(start)

  const tell = async (result: Result | undefined, error?: HoldfastError) => {
    const finished = workspace.env.clock.now()
    const report = withoutSecrets(runReport(start, finished, run.subjects(result), error), redact)
    const limit = error?.code.startsWith('interrupted.') === true ? interruptedMs : undefined
    await Promise.all([notifications.finished(report, limit), writeMetrics(workspace, report)])
  }
  const tellSafely = (...args: Parameters<typeof tell>) =>
    tell(...args).catch((thrown: unknown) => {
      notice(workspace, 'warning', `nobody was told of the run: ${redact(asHoldfastError(thrown).message)}`)
    })

  let result: Result
  try {
    result = await work()
  } catch (thrown) {
    const error = asHoldfastError(
      thrown,
      run.request.signal?.aborted === true ? 'interrupted.sigterm' : undefined,
    )
    // A person who says no has not failed.
    if (error.code === 'refused.not-confirmed') await notifications.startTold()
    else await tellSafely(undefined, error)
    throw thrown
  }
  await tellSafely(result)
  return result
}

async function writeMetrics(workspace: Workspace, report: RunReport): Promise<void> {
  const { metricsFile } = workspace.settings
  if (metricsFile === undefined) return
  try {
    const { updateMetricsFile } = await import('../hooks/metrics-file.js')
    await updateMetricsFile(workspace.env, metricsFile, report)
  } catch (thrown) {
    notice(workspace, 'warning', `the metrics were not written: ${asHoldfastError(thrown).message}`)
  }
}

/**
 * Messages lose every secret that is known. Names are the user's own and stand in manifests too: they lose what can be seen to
 * be a credential, and stay readable where a password is the name of its database.
 */
function withoutSecrets(report: RunReport, redact: (text: string) => string): RunReport {
  const told = ({ code, message, hint }: RunError): RunError => ({
    code,
    message: redact(message),
    hint: redact(hint),
  })
  const ofError = (error: RunError | undefined) => (error === undefined ? {} : { error: told(error) })
  return {
    ...report,
    server: withoutCredentials(report.server),
    subjects: report.subjects.map((subject) => ({
      ...subject,
      name: withoutCredentials(subject.name),
      storages: subject.storages.map((storage) => ({
        ...storage,
        name: withoutCredentials(storage.name),
        ...ofError(storage.error),
      })),
      ...(subject.filename === undefined ? {} : { filename: withoutCredentials(subject.filename) }),
      warnings: subject.warnings.map(redact),
      ...ofError(subject.error),
    })),
    ...ofError(report.error),
  }
}
