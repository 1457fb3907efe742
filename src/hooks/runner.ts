import { HoldfastError } from '../errors.js'
import type { HookConfig, HookEvents, HookHandler, HookName } from './events.js'

type HandlerLists = { [Name in HookName]?: HookHandler<Name>[] }

/** Runs the handlers of an event one after the other, each awaited. */
export class HookRunner {
  readonly #handlers: HandlerLists = {}

  constructor(config: HookConfig = {}) {
    for (const name of Object.keys(config) as HookName[]) this.#addAll(name, config)
  }

  /** Adds a handler after those that are there; the returned function takes it away again. */
  on<Name extends HookName>(name: Name, handler: HookHandler<Name>): () => void {
    const list = this.#list(name)
    list.push(handler)
    return () => {
      const index = list.indexOf(handler)
      if (index >= 0) list.splice(index, 1)
    }
  }

  /** Adds a handler that runs at the next event only. */
  once<Name extends HookName>(name: Name, handler: HookHandler<Name>): () => void {
    const remove = this.on(name, (event) => {
      remove()
      return handler(event)
    })
    return remove
  }

  /** @throws refused.hook where a handler throws; the handlers after it are not run */
  async run<Name extends HookName>(name: Name, event: HookEvents[Name]): Promise<void> {
    for (const handler of [...this.#list(name)]) {
      try {
        await handler(event)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        throw new HoldfastError('refused.hook', `the hook ${name} threw: ${message}`, {
          cause: error,
          details: { hook: name },
        })
      }
    }
  }

  #addAll<Name extends HookName>(name: Name, config: HookConfig): void {
    const configured = config[name]
    if (configured === undefined) return
    const handlers: readonly HookHandler<Name>[] =
      typeof configured === 'function' ? [configured] : configured
    for (const handler of handlers) this.on(name, handler)
  }

  #list<Name extends HookName>(name: Name): HookHandler<Name>[] {
    const lists = this.#handlers as { [Key in Name]?: HookHandler<Name>[] }
    return (lists[name] ??= [])
  }
}
