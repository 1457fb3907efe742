import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { afterBackup, afterRemoval, headsOf, missingLinks, type ChainRecord, type Member } from './chain.js'
import type { ChainLink } from './chain-link.js'

const empty: ChainRecord = {
  formatVersion: 1,
  kind: 'chain',
  alias: 'shop',
  updated: '2026-01-01T00:00:00Z',
  since: 'b001',
  sequence: 0,
  heads: [],
  removed: [],
}

interface State {
  readonly record: ChainRecord
  readonly members: readonly Member[]
}

/** A backup that saw these heads before it was written. */
function backedUp(
  { record, members }: State,
  id: string,
  previous: readonly ChainLink[] = record.heads,
): State {
  const sha256 = createHash('sha256').update(id).digest('hex')
  const chain = { sequence: record.sequence + 1, previous }
  return {
    record: afterBackup(record, { id, sha256 }, chain),
    members: [...members, { id, sha256, signature: 'valid', chain }],
  }
}

function pruned({ record, members }: State, goes: (id: string) => boolean): State {
  const links = members
    .filter(({ id }) => goes(id))
    .map(({ id, sha256, chain }) => ({ id, sha256, previous: chain?.previous ?? [] }))
  const remaining = members.filter(({ id }) => !goes(id))
  return { record: afterRemoval(record, remaining, links), members: remaining }
}

const without = (members: readonly Member[], id: string) => members.filter((member) => member.id !== id)
const ids = (count: number) =>
  Array.from({ length: count }, (_, index) => `b${String(index).padStart(3, '0')}`)
const chainOf = (count: number) =>
  ids(count).reduce<State>((state, id) => backedUp(state, id), { record: empty, members: [] })

describe('a chain of backups', () => {
  it('misses any that is taken away, the newest too', () => {
    const { record, members } = chainOf(4)
    expect(missingLinks(record, members)).toEqual([])
    for (const { id } of members) {
      expect(missingLinks(record, without(members, id)).map((link) => link.id)).toEqual([id])
    }
  })

  it('misses one that was replaced', () => {
    const { record, members } = chainOf(3)
    const forged = members.map((member) =>
      member.id === 'b001' ? { ...member, sha256: 'f'.repeat(64) } : member,
    )
    expect(missingLinks(record, forged)).toMatchObject([{ id: 'b001', namedBy: 'b002' }])
  })

  it('goes on over runs that overlapped', () => {
    const first = chainOf(1)
    const one = backedUp(first, 'b001')
    const other = backedUp(one, 'b002', first.record.heads)
    expect(other.record.heads.map(({ id }) => id)).toEqual(['b001', 'b002'])
    const next = backedUp(other, 'b003')
    expect(next.record.heads.map(({ id }) => id)).toEqual(['b003'])
    for (const { id } of next.members) {
      expect(missingLinks(next.record, without(next.members, id)).map((link) => link.id)).toEqual([id])
    }
    expect(headsOf(next.members).map(({ id }) => id)).toEqual(['b003'])
  })

  it('after any prunes misses nothing but what is taken away besides', () => {
    const step = fc.record({
      backups: fc.integer({ min: 0, max: 4 }),
      keepsModulo: fc.integer({ min: 1, max: 4 }),
    })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(), (steps, choice) => {
        let state: State = { record: empty, members: [] }
        let count = 0
        for (const { backups, keepsModulo } of steps) {
          for (let each = 0; each < backups; each++)
            state = backedUp(state, `b${String(count++).padStart(3, '0')}`)
          state = pruned(state, (id) => Number(id.slice(1)) % keepsModulo !== 0)
        }
        const { record, members } = state
        expect(missingLinks(record, members)).toEqual([])
        const victim = members[choice % Math.max(members.length, 1)]
        if (victim !== undefined)
          expect(missingLinks(record, without(members, victim.id)).map(({ id }) => id)).toEqual([victim.id])
        // What is gone leaves no more behind than what is kept can name.
        expect(record.removed.length).toBeLessThanOrEqual(members.length + 1)
      }),
    )
  })

  it('goes on missing what was missing before a prune', () => {
    const { record, members } = chainOf(6)
    const robbed = { record, members: without(members, 'b002') }
    const after = pruned(robbed, (id) => id === 'b003' || id === 'b001')
    expect(missingLinks(after.record, after.members).map(({ id }) => id)).toEqual(['b002'])
  })

  it('is sound while a prune is interrupted: noted, and not removed yet', () => {
    const before = chainOf(5)
    const { record } = pruned(before, (id) => id === 'b002' || id === 'b003')
    expect(missingLinks(record, before.members)).toEqual([])
    const again = pruned({ record, members: before.members }, (id) => id === 'b002' || id === 'b003')
    expect(again.record).toEqual(record)
  })
})
