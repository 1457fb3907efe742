import { expect, it } from 'vitest'
import { InOrder } from './in-order.js'

async function collect(from: AsyncIterable<Buffer>): Promise<string[]> {
  const texts: string[] = []
  for await (const part of from) texts.push(part.toString())
  return texts
}

it('gives results in the order of the jobs, however they end', async () => {
  const ends: ((text: Buffer) => void)[] = []
  const work = new InOrder({ jobs: 3, cost: Infinity })
  for (let job = 0; job < 3; job++) work.add(new Promise((resolve) => ends.push(resolve)), 1)
  const rest = collect(work.rest())
  for (const job of [2, 0, 1]) ends[job]?.(Buffer.from(`job ${job}`))
  expect(await rest).toEqual(['job 0', 'job 1', 'job 2'])
})

it('makes room by number and by cost', async () => {
  const work = new InOrder({ jobs: 3, cost: 10 })
  expect(await collect(work.untilRoomFor(100))).toEqual([])
  work.add(Promise.resolve(Buffer.from('large')), 100)
  expect(await collect(work.untilRoomFor(1))).toEqual(['large'])
  for (const name of ['a', 'b', 'c']) work.add(Promise.resolve(Buffer.from(name)), 3)
  expect(await collect(work.untilRoomFor(1))).toEqual(['a'])
  expect(await collect(work.untilRoomFor(7))).toEqual(['b'])
  expect(await collect(work.rest())).toEqual(['c'])
})

it('a failed job fails when its turn comes', async () => {
  const work = new InOrder({ jobs: 3, cost: Infinity })
  work.add(Promise.resolve(Buffer.from('good')), 1)
  work.add(Promise.reject(new Error('bad')), 1)
  const results = work.rest()
  expect((await results.next()).value).toEqual(Buffer.from('good'))
  await expect(results.next()).rejects.toThrow('bad')
})
