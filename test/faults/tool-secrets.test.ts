import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, writeFileSync, watch } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { ScratchDatabase as MongodbDatabase } from '../../src/engines/mongodb/test-database.js'
import { mysql } from '../../src/engines/mysql/engine.js'
import { ScratchDatabase as MysqlDatabase } from '../../src/engines/mysql/test-database.js'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { built, collect, start } from '../cli/command-line.js'
import { testFolder } from '../flows/workbench.js'
import { needsAll, needsMysql, needsPostgis, needsServer, needsTool, type Need } from '../servers/needs.js'
import { watchProcesses, type Sighting } from './process-watch.js'

const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')
const mongodb = needsServer('mongodb')
const mysqlUrl = process.env['HOLDFAST_TEST_MYSQL']
const mysqlServer = needsMysql()
const proc = needsTool(...(process.platform === 'linux' ? [] : ['/proc of Linux']))

interface Database {
  readonly name: string
  execute(statements: string): Promise<void>
  drop(): Promise<void>
}

interface Bench {
  readonly connector: string
  readonly title?: string
  readonly needs: Need
  readonly engine: string
  /** Programs that are run with the password, in a backup and in a restore. */
  readonly dumpTools: RegExp
  readonly restoreTools: RegExp
  make(): Promise<Database>
  readonly fill: string
  /** Exit codes of a restore that is ended while its tool runs, where they are others than 143. */
  readonly endedRestore?: readonly number[]
  reach(): { readonly host: string; readonly port: number; readonly user: string; readonly password: string }
  readonly more?: () => Readonly<Record<string, unknown>>
  /** Folders where the tools are. */
  readonly path?: () => string | undefined
}

const rows = 'CREATE TABLE t (i int); INSERT INTO t VALUES (1), (2)'

function reachOf(needs: typeof postgresql) {
  const { host, port, user, password } = needs.server()
  return { host, port, user, password }
}

async function mysqlDatabase(address: ConstructorParameters<typeof MysqlDatabase>[0]): Promise<Database> {
  const database = await new MysqlDatabase(address, 'mysql').create()
  return {
    name: database.name,
    execute: (statements) => database.run(statements.split('; ')),
    drop: () => database.drop(),
  }
}

function mysqlReach() {
  const { host = '127.0.0.1', port = 3306, user = 'root', password } = mysql.parse(mysqlUrl ?? '', '/')
  return { host, port, user, password: password?.reveal() ?? '' }
}

const benches: readonly Bench[] = [
  ...(['pg-dump', 'pg-dump-custom', 'pg-dump-gis'] as const).map((connector): Bench => ({
    connector,
    needs: connector === 'pg-dump-gis' ? needsAll(postgresql, needsPostgis()) : postgresql,
    engine: 'postgresql',
    dumpTools: /^pg_dump$/u,
    restoreTools: connector === 'pg-dump' ? /^psql$/u : /^pg_restore$/u,
    make: () => new TestDatabase(postgresql.server()).make(),
    fill: connector === 'pg-dump-gis' ? `CREATE EXTENSION postgis; ${rows}` : rows,
    reach: () => reachOf(postgresql),
    ...(connector === 'pg-dump-gis'
      ? {
          more: () => {
            const { user, password } = postgresql.server()
            return { adminUser: user, adminPassword: password }
          },
        }
      : {}),
  })),
  {
    connector: 'mysqldump',
    title: 'mysqldump, MariaDB',
    needs: mariadb,
    engine: 'mariadb',
    dumpTools: /^(?:mariadb-dump|mysqldump)$/u,
    restoreTools: /^(?:mariadb|mysql)$/u,
    make: () => mysqlDatabase(mariadb.server()),
    fill: rows,
    reach: () => reachOf(mariadb),
  },
  {
    connector: 'mysqldump',
    title: 'mysqldump, MySQL',
    needs: mysqlServer,
    engine: 'mysql',
    dumpTools: /^mysqldump$/u,
    restoreTools: /^mysql$/u,
    make: () => mysqlDatabase(mysqlReach()),
    fill: rows,
    reach: mysqlReach,
    path: () => process.env['HOLDFAST_TEST_MYSQL_BIN'],
  },
  {
    connector: 'mongodump',
    needs: mongodb,
    engine: 'mongodb',
    dumpTools: /^mongodump$/u,
    restoreTools: /^mongorestore$/u,
    // MongoDB cannot undo: where something had changed, the code says that the target is not usable as it is.
    endedRestore: [143, 5],
    make: () => new MongodbDatabase(mongodb.server()).create(),
    fill: '[{ "insert": "t", "documents": [{ "i": 1 }] }]',
    reach: () => reachOf(mongodb),
    path: () => mongodb.server().binDirectory,
  },
]

for (const bench of benches) {
  const need = needsAll(built, proc, bench.needs)
  need.describe(`FAILURES 71: the tools of ${bench.title ?? bench.connector}`, () => {
    need.it(
      'a backup and a restore show the password in no argument and no variable, and leave no file',
      async () => {
        const { run, temporary, password } = await project(bench)
        const backup = await run('backup')
        expectHidden(backup.sightings, password, bench.dumpTools)
        expect(readdirSync(temporary)).toEqual([])
        const restore = await run('restore', '--yes')
        expectHidden(restore.sightings, password, bench.restoreTools)
        expect(readdirSync(temporary)).toEqual([])
        expect([backup, restore].map(({ code, stderr }) => ({ code, stderr }))).toEqual([
          { code: 0, stderr: expect.any(String) as string },
          { code: 0, stderr: expect.any(String) as string },
        ])
        for (const { stdout, stderr } of [backup, restore]) expect(stdout + stderr).not.toContain(password)
      },
      60_000,
    )

    need.it(
      'a tool that fails leaves no file',
      async () => {
        const { configure, run, temporary, password } = await project(bench)
        expect(await run('backup')).toMatchObject({ code: 0 })
        configure({ dumpSuffix: '--no-such-option', restoreSuffix: '--no-such-option' })
        for (const args of [['backup'], ['restore', '--yes']]) {
          const ended = await run(...args)
          expect(ended.code).toBe(5)
          expect(ended.stderr).toContain('no-such-option')
          expectHidden(ended.sightings, password, /./u)
          expect(readdirSync(temporary)).toEqual([])
        }
      },
      60_000,
    )

    for (const operation of ['backup', 'restore'] as const) {
      need.it(
        `a ${operation} that is ended by SIGTERM leaves no file`,
        async () => {
          const { folder, configure, begin, run, temporary } = await project(bench)
          expect(await run('backup')).toMatchObject({ code: 0 })
          const waiting = waitingTool(folder)
          configure({ dumpPrefix: waiting.program, restorePrefix: waiting.program })
          const child = begin(operation, ...(operation === 'restore' ? ['--yes'] : []))
          await Promise.race([waiting.started, once(child, 'exit')])
          expect(readdirSync(temporary).length).toBeGreaterThan(0)
          child.kill('SIGTERM')
          const [code] = (await once(child, 'exit')) as [number | null]
          expect(operation === 'restore' ? (bench.endedRestore ?? [143]) : [143]).toContain(code)
          expect(readdirSync(temporary)).toEqual([])
        },
        60_000,
      )
    }
  })
}

async function project(bench: Bench) {
  const folder = await testFolder()
  const temporary = await testFolder()
  const database = await bench.make()
  onTestFinished(() => database.drop())
  await database.execute(bench.fill)
  const { password, ...reach } = bench.reach()
  const configure = (more: Readonly<Record<string, unknown>>) => {
    const { engine, connector } = bench
    const shop = { engine, connector, ...reach, password, name: database.name, ...bench.more?.(), ...more }
    writeFileSync(join(folder, 'holdfast.config.json'), JSON.stringify({ databases: { shop } }))
  }
  configure({})
  const path = [bench.path?.(), process.env['PATH']].filter((each) => each !== undefined).join(':')
  const begin = (...args: readonly string[]) =>
    start(args, { cwd: folder, variables: { TMPDIR: temporary, PATH: path } })
  const run = async (...args: readonly string[]) => {
    const child = begin(...args)
    const [stdout, stderr] = [collect(child, 'stdout'), collect(child, 'stderr')]
    const [sightings] = await Promise.all([watchProcesses(child), once(child, 'close')])
    return { code: child.exitCode, stdout: stdout(), stderr: stderr(), sightings }
  }
  return { folder, temporary, password, configure, begin, run }
}

function expectHidden(sightings: readonly Sighting[], password: string, tools: RegExp): void {
  // A tool may have been started by a loader; one that only said its version has hidden nothing, nor has one that nobody saw.
  const seen = sightings
    .filter(({ cmdline, environ }) => environ !== '' && !cmdline.includes('\0--version'))
    .flatMap(({ cmdline }) => cmdline.split('\0').map((word) => basename(word)))
  expect(seen).toContainEqual(expect.stringMatching(tools))
  for (const { program, cmdline, environ } of sightings) {
    expect(cmdline, `the arguments of ${program}`).not.toContain(password)
    expect(environ, `the environment of ${program}`).not.toContain(password)
  }
}

/** A prefix that says so when a tool would start, and waits. */
function waitingTool(folder: string): { readonly program: string; readonly started: Promise<void> } {
  const program = join(folder, 'waiting')
  const marker = join(folder, 'tool-started')
  writeFileSync(program, `#!/bin/sh\ntouch '${marker}'\nexec sleep 60\n`)
  chmodSync(program, 0o755)
  const started = new Promise<void>((resolve) => {
    const watcher = watch(folder, () => {
      if (!existsSync(marker)) return
      watcher.close()
      resolve()
    })
    onTestFinished(() => watcher.close())
  })
  return { program, started }
}
