import { once } from 'node:events'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import type { Dump, DumpPart } from '../engine/connector.js'
import type { Context } from '../env/context.js'
import { HoldfastError } from '../errors.js'
import { fakeEnv } from '../testing/fake-env.js'
import { takeParts } from './parts-at-once.js'

const cx: Context = { env: fakeEnv(), signal: new AbortController().signal, emit: () => undefined }

/** A dump of parts that end when they are told to; `ended` says that its reader has let go of it. */
function dumpOf(count: number, concurrency?: number) {
  const made: DumpPart[] = []
  const state = { ended: false }
  async function* parts(): AsyncGenerator<DumpPart> {
    try {
      for (let number = 0; number < count; number++) {
        const part: DumpPart = {
          name: String(number),
          role: 'data',
          bytes: new Readable({ read: () => undefined }),
        }
        made.push(part)
        yield await Promise.resolve(part)
      }
    } finally {
      state.ended = true
    }
  }
  const dump: Dump = {
    parts: parts(),
    ...(concurrency === undefined ? {} : { concurrency }),
    facts: () => Promise.resolve({ warnings: [] }),
  }
  return { dump, made, state }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

it.each([
  [undefined, 1],
  [3, 3],
])('with a concurrency of %s so many parts are under way: %i', async (concurrency, expected) => {
  const { dump, made, state } = dumpOf(5, concurrency)
  const finish: (() => void)[] = []
  const places: number[] = []
  const taken = takeParts(cx, dump, async (_cx, _part, index) => {
    places.push(index)
    await new Promise<void>((resolve) => finish.push(resolve))
  })
  for (let done = 0; done < 5; done++) {
    await turn()
    expect(made.length).toBe(Math.min(5, done + expected))
    finish[done]?.()
  }
  expect(await taken).toBe(5)
  expect(places).toEqual([0, 1, 2, 3, 4])
  expect(state.ended).toBe(true)
})

it('a part that fails ends the others and the dump, and its error is the one that is thrown', async () => {
  const { dump, made, state } = dumpOf(9, 3)
  const failure = new HoldfastError('storage.full', 'no space')
  let running = 0
  const taken = takeParts(cx, dump, async (partCx, _part, index) => {
    running++
    if (index === 2) {
      await turn()
      running--
      throw failure
    }
    await once(partCx.signal, 'abort')
    await turn()
    running--
    partCx.signal.throwIfAborted()
  })
  await expect(taken).rejects.toBe(failure)
  expect(running).toBe(0)
  expect(made.length).toBe(3)
  expect(state.ended).toBe(true)
})

it('a dump that fails ends the parts that are under way', async () => {
  const failure = new HoldfastError('database.unreachable', 'gone')
  async function* parts(): AsyncGenerator<DumpPart> {
    yield { name: 'one', role: 'data', bytes: new Readable({ read: () => undefined }) }
    await turn()
    throw failure
  }
  const dump: Dump = { parts: parts(), concurrency: 2, facts: () => Promise.resolve({ warnings: [] }) }
  await expect(
    takeParts(cx, dump, async (partCx) => {
      await once(partCx.signal, 'abort')
      partCx.signal.throwIfAborted()
    }),
  ).rejects.toBe(failure)
})
