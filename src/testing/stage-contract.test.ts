import { PassThrough, Transform, type Duplex } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { gzip } from '../stages/gzip/stage.js'
import type { Stage } from '../stages/stage.js'
import { stageContract, type StageFixture } from './stage-contract.js'

const keys = { identities: () => Promise.resolve([]), passphrase: () => Promise.resolve(undefined) }
const good = gzip.create(undefined, keys)
const encoding = (through: Duplex) => ({ through, facts: () => ({}) })

/** A stage that breaks a promise, and a part of the name of each check that has to see it. */
interface Broken {
  readonly fixture: Partial<StageFixture>
  readonly seenBy: readonly string[]
}

/** Changes every chunk by itself, so that the result hangs on where chunks end. */
const reversing = () =>
  new Transform({ transform: (chunk: Buffer, _encoding, done) => done(null, Buffer.from(chunk).reverse()) })

const broken: Record<string, Broken> = {
  'does nothing': {
    fixture: {
      stage: () =>
        stage(
          () => encoding(new PassThrough()),
          () => new PassThrough(),
        ),
    },
    seenBy: ['recognises', 'cut anywhere', 'changed bit', 'something after', 'another kind'],
  },
  'hangs on where chunks end': {
    fixture: {
      stage: () =>
        stage(
          () => encoding(reversing()),
          () => reversing(),
        ),
    },
    seenBy: ['whatever the chunks are'],
  },
  'gives errors that are not of Holdfast': {
    fixture: {
      stage: () =>
        stage(
          (cx) => good.encode(cx),
          () => createGunzip(),
        ),
    },
    seenBy: ['cut anywhere', 'changed bit'],
  },
  'takes all it is given': {
    fixture: {
      stage: () => {
        const greedy = () => new PassThrough({ highWaterMark: 2 ** 30 })
        return stage(() => encoding(greedy()), greedy)
      },
    },
    seenBy: ['encoding waits', 'decoding waits'],
  },
  'does not end when it is aborted': {
    fixture: {
      stage: () => {
        const deaf = () => new PassThrough({ destroy: () => undefined })
        return stage(() => encoding(deaf()), deaf)
      },
    },
    seenBy: ['abort ends encoding', 'abort ends decoding'],
  },
  'loses its last bytes': {
    fixture: {
      stage: () => {
        const lossy = () =>
          new Transform({ transform: (chunk: Buffer, _encoding, done) => done(null, chunk.subarray(0, -1)) })
        return stage((cx) => good.encode(cx), lossy)
      },
    },
    seenBy: ['gives back 1 bytes', 'without facts', 'keeps two streams'],
  },
  'takes everything for its own': {
    fixture: { kind: { ...gzip, recognises: () => true } },
    seenBy: ['recognises'],
  },
}

function stage(encode: Stage['encode'], decode: Stage['decode']): Stage {
  return { id: gzip.id, encode, decode }
}

describe('the contract of stages finds a stage that', () => {
  for (const [what, { fixture, seenBy }] of Object.entries(broken)) {
    const checks = stageContract({ kind: gzip, stage: () => good, ...fixture })
    for (const part of seenBy)
      it(`${what}: ${part}`, async () => {
        const check = checks.find(({ name }) => name.includes(part))
        expect(check, `a check named ${part}`).toBeDefined()
        await expect(check?.run()).rejects.toThrow()
      })
  }
})
