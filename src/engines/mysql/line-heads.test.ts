import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineHeads, type LineVerdict } from './line-heads.js'

function pass(chunks: readonly Buffer[], inspect: (line: string) => LineVerdict): string {
  const heads = new LineHeads({ inspect })
  return Buffer.concat([...chunks.flatMap((chunk) => heads.push(chunk)), ...heads.end()]).toString()
}

function cut(text: string, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const chunks: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

const lines = fc.array(
  fc.oneof(
    fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ' ')),
    fc.constantFrom(
      '',
      'DROP me',
      'CHANGE me',
      '(1,2),',
      'INSERT INTO x',
      'x'.repeat(70_000),
      '('.repeat(90_000),
    ),
  ),
  { maxLength: 8 },
)
const sizes = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 5 })

describe('heads of lines', () => {
  it('pass everything on, however it is cut', () => {
    fc.assert(
      fc.property(lines, sizes, (all, pieces) => {
        const text = all.join('\n')
        expect(pass(cut(text, pieces), () => 'keep')).toBe(text)
      }),
    )
  })

  it('drop and replace the same lines, however they are cut', () => {
    const verdict = (line: string): LineVerdict =>
      line === 'DROP me' ? 'drop' : line === 'CHANGE me' ? { replace: 'changed' } : 'keep'
    fc.assert(
      fc.property(lines, sizes, (all, pieces) => {
        const kept = all
          .filter((line) => line !== 'DROP me')
          .map((line) => (line === 'CHANGE me' ? 'changed' : line))
        expect(pass(cut(all.map((line) => `${line}\n`).join(''), pieces), verdict)).toBe(
          kept.map((line) => `${line}\n`).join(''),
        )
      }),
    )
  })

  it('show structure once, and no rows', () => {
    const seen: string[] = []
    pass(cut('CREATE TABLE a;\r\n(1),\nINSERT INTO a\n-- end', [3]), (line) => {
      seen.push(line)
      return 'keep'
    })
    expect(seen).toEqual(['CREATE TABLE a;', '-- end'])
  })

  it('tell how long a line has become', () => {
    const bytes: number[] = []
    const heads = new LineHeads({ inspect: () => 'keep', longLine: (length) => bytes.push(length) })
    for (const chunk of cut(`a\n${'('.repeat(300_000)}\nb\n`, [100_000])) heads.push(chunk)
    expect(Math.max(...bytes)).toBe(300_000)
  })
})
