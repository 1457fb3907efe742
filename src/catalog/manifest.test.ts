import { expect, it } from 'vitest'
import { formatManifest, parseManifest, type Manifest } from './manifest.js'
import { exampleManifest } from './manifest-example.js'

it('reads what it writes', () => {
  const manifest = exampleManifest({ metadata: { ticket: 'OPS-1', nested: [1, null, { deep: true }] } })
  expect(parseManifest(formatManifest(manifest), 'shop/x.manifest.json')).toEqual(manifest)
})

it('FAILURES 19: a newer format version is refused by its own error', () => {
  const newer = { ...exampleManifest(), formatVersion: 2, parts: 'of another shape' }
  expect(() => parseManifest(JSON.stringify(newer), 'shop/x.manifest.json')).toThrowError(
    expect.objectContaining({
      code: 'integrity.newer-format',
      message: 'shop/x.manifest.json has format version 2; this Holdfast reads up to 1',
    }),
  )
})

it.each<[string, unknown]>([
  ['not an object', [1]],
  ['no parts', { ...exampleManifest(), parts: [] }],
  ['an id that is no id', { ...exampleManifest(), id: '../../etc' }],
  ['a digest that is none', changedPart({ sha256: 'abc' })],
  ['a negative size', changedPart({ bytes: -1 })],
  [
    'an absurd number of parts',
    { ...exampleManifest(), parts: Array.from({ length: 100_001 }, () => exampleManifest().parts[0]) },
  ],
])('FAILURES 20: refuses %s', (_what, value) => {
  expect(() => parseManifest(JSON.stringify(value), 'k')).toThrowError(
    expect.objectContaining({ code: 'integrity.manifest' }),
  )
})

it('refuses half a manifest', () => {
  const text = formatManifest(exampleManifest())
  for (const length of [0, 1, 100, text.length - 3]) {
    expect(() => parseManifest(text.slice(0, length), 'k')).toThrowError(
      expect.objectContaining({ code: 'integrity.manifest' }),
    )
  }
})

it('keeps no field that it does not know, so that what is read is what is typed', () => {
  const parsed = parseManifest(JSON.stringify({ ...exampleManifest(), surprise: 1 }), 'k')
  expect(parsed).toEqual(exampleManifest())
})

function changedPart(stored: object): Manifest {
  const manifest = exampleManifest()
  return {
    ...manifest,
    parts: manifest.parts.map((part) => ({ ...part, stored: { ...part.stored, ...stored } })),
  }
}
