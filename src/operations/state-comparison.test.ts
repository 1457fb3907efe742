import { expect, it } from 'vitest'
import { exampleManifest } from '../catalog/manifest-example.js'
import { compareStates } from './state-comparison.js'

const manifest = exampleManifest()
const same = [{ tool: 'prisma', table: '_prisma_migrations', applied: ['0001_init'] }]

it('says nothing where all is equal, or where there is nothing to compare with', () => {
  expect(compareStates(manifest, manifest.revision, same)).toEqual([])
  expect(compareStates(manifest, undefined, undefined)).toEqual([])
  expect(compareStates(manifest, manifest.revision, [])).toEqual([])
})

it('names another revision and the migrations that only one side has', () => {
  const other = { commit: 'f'.repeat(40), dirty: false }
  const ahead = [
    { ...same[0], tool: 'prisma', table: '_prisma_migrations', applied: ['0001_init', '0002_a', '0003_b'] },
  ]
  expect(compareStates(manifest, other, ahead)).toEqual([
    'the backup was made with revision 0123456789ab; this working copy is at ffffffffffff',
    'the backup lacks 2 migrations of prisma that the target has: 0002_a, 0003_b',
  ])
  const behind = [{ tool: 'prisma', table: '_prisma_migrations', applied: [] }]
  expect(compareStates(manifest, undefined, behind)).toEqual([
    'the backup has a migration of prisma that the target lacks: 0001_init',
  ])
})
