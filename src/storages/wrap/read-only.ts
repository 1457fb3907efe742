import { HoldfastError } from '../../errors.js'
import { destroySource } from '../source.js'
import type { Storage } from '../storage.js'
import { wrapped } from './wrapped.js'

/** A storage that nothing is written to and nothing deleted from, whatever its account may do. */
export function readOnly(inner: Storage): Storage {
  const refuse = () => new HoldfastError('storage.denied', `${inner.describe()} is set to readOnly`, { hint })
  return wrapped(inner, {
    put(_cx, _key, body) {
      const error = refuse()
      destroySource(body, error)
      return Promise.reject(error)
    },
    delete: () => Promise.reject(refuse()),
    sweep: () => Promise.resolve(0),
  })
}

const hint = 'use another storage, or take readOnly out of its settings'
