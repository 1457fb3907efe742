import { expect, it } from 'vitest'
import { renderFacts, severalLines } from './facts.js'

const plain = (_look: unknown, text: string) => text

it('long sentences go over several lines of whole words, under their label', () => {
  const text = 'the database shop is dropped with 7 objects: public.customers, public.orders'
  const lost = severalLines([text, 'and this'], 'red', plain, 44)
  expect(renderFacts([['lost', lost]], plain).split('\n')).toEqual([
    '  lost  the database shop is dropped',
    '        with 7 objects:',
    '        public.customers,',
    '        public.orders',
    '        and this',
  ])
  expect(severalLines([text], 'red', plain)).toBe(text)
})
