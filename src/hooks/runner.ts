import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { canVeto, type HookEvents, type HookName, type Operation } from './events.js'
import type { HookAction, HookConfig, HookEntry, HookHandler, HookPolicy, HookSettings } from './handlers.js'
import { runShellCommand } from './shell-command.js'

const defaultTimeoutMs = 10 * 60 * 1000

interface Registered<Name extends HookName> {
  readonly action: HookAction<Name>
  readonly onError: HookPolicy
  readonly timeoutMs: number
}

/** Runs the handlers of an event one after the other, each awaited. */
export class HookRunner {
  readonly #handlers = new Map<HookName, Registered<HookName>[]>()

  constructor(config: HookConfig = {}) {
    for (const name of Object.keys(config) as HookName[]) this.#addConfigured(name, config)
  }

  /** Adds a handler after those that are there; the returned function takes it away again. */
  on<Name extends HookName>(
    name: Name,
    action: HookAction<Name>,
    { onError = defaultPolicy(name), timeoutMs = defaultTimeoutMs }: HookSettings = {},
  ): () => void {
    const list = this.#list(name)
    const registered: Registered<Name> = { action, onError, timeoutMs }
    list.push(registered)
    return () => {
      const index = list.indexOf(registered)
      if (index >= 0) list.splice(index, 1)
    }
  }

  /** Adds a handler that runs at the next event only. */
  once<Name extends HookName>(name: Name, handler: HookHandler<Name>, settings?: HookSettings): () => void {
    const single: HookHandler<Name> = (event, sender) => {
      remove()
      return handler(event, sender)
    }
    const remove = this.on(name, single, settings)
    return remove
  }

  has(name: HookName): boolean {
    return this.#list(name).length > 0
  }

  /**
   * Runs the handlers of an event.
   * @throws refused.hook where a handler of a `before…` hook fails: those after it are not run
   * @throws hook.failed where a handler of an `after…` hook has failed: all have run
   */
  async run<Name extends HookName>(
    cx: Context,
    operation: Operation,
    name: Name,
    event: HookEvents[Name],
  ): Promise<void> {
    const failures: HoldfastError[] = []
    for (const registered of [...this.#list(name)]) {
      try {
        await runOne(cx, operation, name, event, registered)
      } catch (thrown) {
        cx.signal.throwIfAborted()
        const error = failureOf(name, thrown)
        if (registered.onError === 'fail' && canVeto(name)) throw error
        if (registered.onError === 'fail' && name.startsWith('after')) failures.push(error)
        else {
          const level = registered.onError === 'ignore' ? 'debug' : 'warning'
          cx.emit({ type: 'notice', level, message: error.message })
        }
      }
    }
    const [first, ...others] = failures
    if (first === undefined) return
    for (const { message } of others) cx.emit({ type: 'notice', level: 'warning', message })
    throw first
  }

  #addConfigured<Name extends HookName>(name: Name, config: HookConfig): void {
    const configured: HookEntry<Name> | readonly HookEntry<Name>[] = config[name] ?? []
    const entries: readonly HookEntry<Name>[] = isList(configured) ? configured : [configured]
    for (const entry of entries) {
      if (typeof entry === 'object') this.on(name, entry.run, entry)
      else this.on(name, entry)
    }
  }

  #list<Name extends HookName>(name: Name): Registered<Name>[] {
    const found = this.#handlers.get(name) ?? []
    this.#handlers.set(name, found)
    return found
  }
}

function isList<Entry>(value: Entry | readonly Entry[]): value is readonly Entry[] {
  return Array.isArray(value)
}

function defaultPolicy(name: HookName): HookPolicy {
  return name.startsWith('on') ? 'report' : 'fail'
}

/** One handler, for as long as it may take. @throws what it throws; tool.timeout; the signal's reason when aborted */
async function runOne<Name extends HookName>(
  cx: Context,
  operation: Operation,
  name: Name,
  event: HookEvents[Name],
  { action, timeoutMs }: Registered<Name>,
): Promise<void> {
  const time = new AbortController()
  const timer = setTimeout(() => {
    time.abort(new HoldfastError('tool.timeout', `it did not end within ${timeoutMs} ms`))
  }, timeoutMs)
  const signal = AbortSignal.any([cx.signal, time.signal])
  try {
    const work =
      typeof action === 'string'
        ? runShellCommand({ ...cx, signal }, action, name, event)
        : Promise.resolve(action(event, { operation, signal }))
    await Promise.race([work, aborted(signal)])
  } finally {
    clearTimeout(timer)
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = () => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

function failureOf(name: HookName, thrown: unknown): HoldfastError {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new HoldfastError(
    canVeto(name) ? 'refused.hook' : 'hook.failed',
    `the hook ${name} failed: ${message}`,
    { cause: thrown, details: { hook: name } },
  )
}
