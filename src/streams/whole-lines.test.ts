import fc from 'fast-check'
import { expect, it } from 'vitest'
import { WholeLines } from './whole-lines.js'

it('gives whole lines as soon as they are there, however their bytes are split', () => {
  const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n'), maxLength: 9 }))
  fc.assert(
    fc.property(pieces, fc.integer({ min: 1, max: 5 }), (texts, length) => {
      const text = texts.join('')
      const bytes = Buffer.from(text)
      const lines = new WholeLines()
      let given = ''
      for (let at = 0; at < bytes.length; at += length) {
        const whole = lines.add(bytes.subarray(at, at + length)).toString()
        expect(whole === '' || whole.endsWith('\n')).toBe(true)
        given += whole
        const so = bytes.subarray(0, at + length)
        expect(Buffer.byteLength(given)).toBe(so.lastIndexOf('\n') + 1)
      }
      expect(given).toBe(text.slice(0, text.lastIndexOf('\n') + 1))
      expect(lines.isUnfinished).toBe(given !== text)
    }),
  )
})
