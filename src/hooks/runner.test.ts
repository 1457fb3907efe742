import { describe, expect, it } from 'vitest'
import type { Context, NoticeEvent, ProgressEvent } from '../env/context.js'
import { nodeEnv } from '../env/node-env.js'
import { HoldfastError } from '../errors.js'
import type { HookEvents } from './events.js'
import { HookRunner } from './runner.js'

const event: HookEvents['beforeBackup'] = {
  database: { alias: 'shop', name: 'shop_production', engine: 'postgresql' },
  connector: 'pg-dump-custom',
  server: 'web1',
}
const pruned = { server: 'web1', storage: 'main', removed: ['a', 'b'] }

const told: (NoticeEvent | ProgressEvent)[] = []

function context(signal = new AbortController().signal): Context {
  told.length = 0
  return { env: nodeEnv(), signal, emit: (each) => told.push(each) }
}

const fail = (message: string) => () => {
  throw new TypeError(message)
}

async function caught(work: Promise<unknown>): Promise<HoldfastError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(HoldfastError)
  return error as HoldfastError
}

describe('handlers', () => {
  it('run as configured, then those that were added, in order, each awaited', async () => {
    const seen: string[] = []
    const slow = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push('first')
    }
    const hooks = new HookRunner({ beforeBackup: [slow, { run: () => void seen.push('second') }] })
    hooks.on('beforeBackup', ({ database }, { operation }) => void seen.push(operation, database.alias))
    await hooks.run(context(), 'backup', 'beforeBackup', event)
    expect(seen).toEqual(['first', 'second', 'backup', 'shop'])
  })

  it('can be taken away, and those of once run only once', async () => {
    const seen: string[] = []
    const hooks = new HookRunner()
    expect(hooks.has('beforeBackup')).toBe(false)
    const remove = hooks.on('beforeBackup', () => void seen.push('on'))
    hooks.once('beforeBackup', () => void seen.push('once'))
    expect(hooks.has('beforeBackup')).toBe(true)
    await hooks.run(context(), 'backup', 'beforeBackup', event)
    remove()
    await hooks.run(context(), 'backup', 'beforeBackup', event)
    expect(seen).toEqual(['on', 'once'])
  })
})

describe('a handler that throws', () => {
  it('before the work refuses it, and the handlers after it are not run', async () => {
    const seen: string[] = []
    const hooks = new HookRunner({ beforeBackup: [fail('not on a Friday'), () => void seen.push('never')] })
    const error = await caught(hooks.run(context(), 'backup', 'beforeBackup', event))
    expect(error).toMatchObject({
      code: 'refused.hook',
      message: 'the hook beforeBackup failed: not on a Friday',
    })
    expect(seen).toEqual([])
  })

  it('after the work fails it, when all others have run', async () => {
    const seen: string[] = []
    const hooks = new HookRunner({ afterPrune: [fail('one'), fail('two'), () => void seen.push('last')] })
    const error = await caught(hooks.run(context(), 'prune', 'afterPrune', pruned))
    expect(error).toMatchObject({ code: 'hook.failed', message: 'the hook afterPrune failed: one' })
    expect(seen).toEqual(['last'])
    expect(told).toEqual([{ type: 'notice', level: 'warning', message: 'the hook afterPrune failed: two' }])
  })

  it('is a warning with report, and says nothing aloud with ignore', async () => {
    const hooks = new HookRunner({
      beforeBackup: [
        { run: fail('one'), onError: 'report' },
        { run: fail('two'), onError: 'ignore' },
      ],
    })
    await hooks.run(context(), 'backup', 'beforeBackup', event)
    expect(told).toMatchObject([{ level: 'warning' }, { level: 'debug' }])
  })

  it('on progress or a failure is a warning, whatever its policy', async () => {
    const hooks = new HookRunner({
      onProgress: [fail('one'), { run: fail('two'), onError: 'fail' }],
    })
    await hooks.run(context(), 'backup', 'onProgress', { subject: 'shop', phase: 'dump', bytes: 1 })
    expect(told).toMatchObject([{ level: 'warning' }, { level: 'warning' }])
  })
})

describe('a handler that does not end', () => {
  const hang = () => new Promise<void>(() => undefined)

  it('fails when its time is over, and is told so', async () => {
    let aborted = false
    const hooks = new HookRunner()
    const waiting = (_event: unknown, { signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => (aborted = true))
      return hang()
    }
    hooks.on('beforeBackup', waiting, { timeoutMs: 20 })
    const error = await caught(hooks.run(context(), 'backup', 'beforeBackup', event))
    expect(error.message).toBe('the hook beforeBackup failed: it did not end within 20 ms')
    expect(aborted).toBe(true)
  })

  it('does not keep an interrupted operation', async () => {
    const stop = new AbortController()
    const hooks = new HookRunner({ beforeBackup: hang })
    const run = hooks.run(context(stop.signal), 'backup', 'beforeBackup', event)
    stop.abort(new HoldfastError('interrupted.sigint', 'interrupted'))
    expect((await caught(run)).code).toBe('interrupted.sigint')
  })
})

describe('a shell command', () => {
  it('gets the event as JSON on stdin and in variables, and what it prints is told', async () => {
    const line = `node -e "process.stdin.on('data', (d) => console.log(JSON.parse(d).database.alias, process.env.HOLDFAST_EVENT, process.env.HOLDFAST_EVENT_DATABASE_NAME, process.env.HOLDFAST_EVENT_SERVER)); console.error('aside')"`
    const hooks = new HookRunner({ beforeBackup: line })
    await hooks.run(context(), 'backup', 'beforeBackup', event)
    expect(told).toEqual([
      {
        type: 'notice',
        level: 'info',
        message: 'hook beforeBackup: shop beforeBackup shop_production web1',
      },
      { type: 'notice', level: 'info', message: 'hook beforeBackup: aside' },
    ])
  })

  it('need not read its stdin', async () => {
    const hooks = new HookRunner({ beforeBackup: 'exit 0' })
    const large = { ...event, server: 'x'.repeat(1_000_00) }
    await hooks.run(context(), 'backup', 'beforeBackup', large)
    expect(told).toEqual([])
  })

  it('vetoes with its status, and what it said last is the reason', async () => {
    const hooks = new HookRunner({ beforeBackup: 'echo not on a Friday >&2; exit 3' })
    const error = await caught(hooks.run(context(), 'backup', 'beforeBackup', event))
    expect(error.code).toBe('refused.hook')
    expect(error.message).toMatch(/^the hook beforeBackup failed: .* ended with status 3: not on a Friday$/u)
  })

  it('is ended when its time is over', async () => {
    const hooks = new HookRunner({ beforeBackup: { run: 'sleep 600', timeoutMs: 50 } })
    const error = await caught(hooks.run(context(), 'backup', 'beforeBackup', event))
    expect(error.message).toBe('the hook beforeBackup failed: it did not end within 50 ms')
  })
})
