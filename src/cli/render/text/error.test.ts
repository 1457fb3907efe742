import { describe, expect, it } from 'vitest'
import { asHoldfastError, HoldfastError } from '../../../errors.js'
import type { Style } from '../../terminal.js'
import { errorDocument } from '../json/error.js'
import { renderError } from './error.js'

const plain: Style = (_look, text) => text
const cause = new Error('connect ECONNREFUSED', { cause: new Error('deep') })
const error = new HoldfastError('tool.failed', 'pg_dump ended with status 1', {
  cause,
  details: { messages: ['pg_dump: error: no', 'evil \u001b[2J'], status: 1, size: 5n, error: cause },
})

describe('as text', () => {
  it('is what happened, what to do, and the code', () => {
    expect(renderError(error, plain, { verbose: false }).split('\n')).toEqual([
      'error: pg_dump ended with status 1 [tool.failed]',
      'hint: see its messages',
    ])
  })

  it('says whose it is, once', () => {
    const [line] = renderError(error, plain, { verbose: false, subject: 'shop' }).split('\n')
    expect(line).toBe('error: shop: pg_dump ended with status 1 [tool.failed]')
    const own = new HoldfastError('usage.invalid', 'shop: no')
    expect(renderError(own, plain, { verbose: false, subject: 'shop' })).toContain('error: shop: no [')
  })

  it('has causes and the messages of tools with --verbose', () => {
    expect(renderError(error, plain, { verbose: true }).split('\n').slice(2)).toEqual([
      'cause: connect ECONNREFUSED',
      'cause: deep',
      'messages of the tool:',
      '  pg_dump: error: no',
      '  evil \\u{1b}[2J',
    ])
  })

  it('shows where a bug is', () => {
    const bug = asHoldfastError(new TypeError('x is not a function'))
    expect(renderError(bug, plain, { verbose: true })).toContain('error.test.ts')
    expect(renderError(bug, plain, { verbose: false })).not.toContain('error.test.ts')
  })

  it('ends also where causes go in a circle', () => {
    const first = new Error('first')
    first.cause = new Error('second', { cause: first })
    expect(renderError(asHoldfastError(first), plain, { verbose: true })).toContain('cause: second')
  })
})

describe('as JSON', () => {
  it('has what programs need, and nothing that JSON cannot hold', () => {
    expect(errorDocument(error)).toEqual({
      code: 'tool.failed',
      message: 'pg_dump ended with status 1',
      hint: 'see its messages',
      exit: 5,
      details: {
        messages: ['pg_dump: error: no', 'evil \u001b[2J'],
        status: 1,
        size: '5',
        error: 'connect ECONNREFUSED',
      },
    })
  })
})

it('FAILURES 71: the password of a URL that somebody threw is hidden', () => {
  const leaking = asHoldfastError(
    new Error('cannot open postgres://me:hunt@er22@db/shop, nor mysql://a:pass word'),
  )
  const shown = `${renderError(leaking, plain, { verbose: true })} ${JSON.stringify(errorDocument(leaking))}`
  expect(shown).not.toContain('er22')
  expect(shown).toContain('postgres://me:***@db/shop')
})
