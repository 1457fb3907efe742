import type { Env } from '../../env/env.js'
import { startWatcher } from '../../process/background.js'
import { ownProgramCall } from '../../process/own-program.js'

export interface GuardOrder {
  readonly folder: string
  /** Ends the server. */
  readonly signal: NodeJS.Signals
  /** The folder is of no use without this process. */
  readonly remove: boolean
}

/** Ends a server when this process is gone, however it goes. */
export interface Guard {
  /** The server has been started: the guard notes which process that is. */
  started(): void
  /** The server has ended in good order, and the guard with it. */
  dismiss(): void
  /** Has it do at once what it would do if this process were gone, while this one does something else. @returns when it has */
  finish(): Promise<void>
}

export function standGuard(env: Env, order: GuardOrder): Guard {
  const call = ownProgramCall(['dist', 'devserver', 'guard', 'main.js'], 'guard', order)
  const watcher = startWatcher({ ...call, inheritEnv: false }, env.variables)
  return {
    started: () => void watcher.stdin.write('started\n'),
    dismiss: () => void watcher.stdin.end('dismissed\n'),
    finish: () => {
      watcher.stdin.write('done\n')
      return watcher.finish()
    },
  }
}
