import { Transform } from 'node:stream'
import { ArchiveParser } from './archive-parser.js'
import type { ArchivedDatabase } from './restore-source.js'

export interface CountedFeed {
  readonly through: Transform
  /** How many documents have passed that are to be restored. */
  documents(): number
}

/**
 * Passes an archive on and looks at it: what is not whole or not right ends as an error before the reader sees an end.
 * @param onChange called before anything that could change the target is passed on
 */
export function countedFeed({ name, collections }: ArchivedDatabase, onChange: () => void): CountedFeed {
  const restored = new Set(collections.map((each) => each.name))
  let documents = 0
  let preludeRead = false
  const parser = new ArchiveParser({
    prelude: () => (preludeRead = true),
    collectionEnd: ({ collection, documents: count }) => {
      if (collection.database === name && restored.has(collection.name)) documents += count
    },
  })
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        parser.push(chunk)
        if (preludeRead) onChange()
        done(null, chunk)
      } catch (error) {
        done(error as Error)
      }
    },
    flush(done) {
      try {
        parser.end()
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
  return { through, documents: () => documents }
}
