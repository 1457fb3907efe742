import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonErrorPosition } from './json-position.js'

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('where a text stops being JSON', () => {
  it.each([
    ['', 1, 1],
    ['{"a": x}', 1, 7],
    ['{\n  "a": 1,\n}', 3, 1],
    ['{"a": 1} x', 1, 10],
    ["{'a': 1}", 1, 2],
    ['[1, 2', 1, 6],
    ['{\n"a": "b\nc"}', 2, 6],
    ['// no\n{}', 1, 1],
  ])('%j', (text, line, column) => {
    expect(jsonErrorPosition(text)).toEqual({ line, column })
  })

  it('finds nothing in JSON', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        expect(jsonErrorPosition(JSON.stringify(JSON.parse(text), undefined, indent))).toBeUndefined()
      }),
    )
  })

  it('agrees with JSON.parse on what is JSON', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '"a"',
        '1',
        '-',
        '.5',
        'e3',
        '\\',
        'true',
        'nul',
        ' ',
        '\n',
        '\u0007',
        '\u0085',
      ),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('')
        expect(jsonErrorPosition(text) === undefined).toBe(isJson(text))
      }),
      { numRuns: 3000 },
    )
  })
})
