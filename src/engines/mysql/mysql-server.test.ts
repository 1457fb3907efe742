import { delimiter } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { configOf, holdfastIn, resultOf, testFolder } from '../../../test/flows/workbench.js'
import type { Context } from '../../env/context.js'
import { connectorContract } from '../../testing/connector-contract.js'
import { mysqlParallel } from './connectors/mysql-parallel.js'
import { mysqldump } from './connectors/mysqldump.js'
import { mysql } from './engine.js'
import { ScratchDatabase } from './test-database.js'
import { connectorOf, copyInPieces, dumpOf, restoreInto, scratchContext } from './test-connector.js'
import { contractSample, oddTable, tortureOfBoth, tortureOfMysql } from './torture.js'

/** A server of MySQL 8 or newer: `mysql://user:password@127.0.0.1:3306/any`, and where its programs are, if not in PATH. */
const url = process.env['HOLDFAST_TEST_MYSQL']
const binDirectory = process.env['HOLDFAST_TEST_MYSQL_BIN']
const title = (text: string) => (url === undefined ? `[needs mysql] ${text}` : text)

function database(): ScratchDatabase {
  const { host = '127.0.0.1', port = 3306, user = 'root', password } = mysql.parse(url ?? '', '/')
  return new ScratchDatabase({ host, port, user, password: password?.reveal() ?? '' }, 'mysql')
}

function context(signal?: AbortSignal): Context {
  const cx = scratchContext(signal)
  const path = [binDirectory, process.env['PATH']].filter((folder) => folder !== undefined).join(delimiter)
  return { ...cx, env: { ...cx.env, variables: { ...cx.env.variables, PATH: path } } }
}

const factories = [mysqldump('mysql'), mysqlParallel('mysql', { pieceBytes: 20_000 })]

describe.skipIf(url === undefined).each(factories)(title('the contract of $name, with MySQL'), (factory) => {
  const checks = connectorContract({
    engine: mysql,
    factory,
    context,
    createDatabase: () => database().create(),
    missingDatabase: () => Promise.resolve(database()),
    fill: (filled) => (filled as ScratchDatabase).run(contractSample),
    sample: {
      lone: 'lonely',
      odd: oddTable,
      changeRows: `INSERT INTO author (name) VALUES ('new'); DELETE FROM lonely WHERE id > 200`,
      changeSchema: `ALTER TABLE lonely ADD COLUMN extra INT`,
    },
  })
  for (const { name, run } of checks) it(name, run)
})

describe.skipIf(url === undefined)(title('MySQL'), () => {
  /** Dumps one, restores it into the other, and compares what the server says of both. */
  async function roundTrip(source: ScratchDatabase, target: ScratchDatabase): Promise<void> {
    const { bytes } = await dumpOf(source, { context: context() })
    await restoreInto(target, bytes, { create: true }, { context: context() })
    const [before, after] = await Promise.all(
      [source, target].map((each) => connectorOf(each).inspect(context())),
    )
    expect(before?.server).toMatchObject({ product: 'MySQL', database: source.name })
    expect(after?.server.schemaHash).toBe(before?.server.schemaHash)
    expect(await target.digest()).toEqual(await source.digest())
  }

  async function withTwo(
    options: string,
    work: (source: ScratchDatabase, target: ScratchDatabase) => Promise<void>,
  ) {
    const [source, target] = [await database().create(options), database()]
    try {
      await work(source, target)
    } finally {
      await source.drop()
      await target.drop()
    }
  }

  it('a trigger that MySQL has kept with its semicolon restores', () =>
    withTwo('', async (source, target) => {
      await source.execute(
        `CREATE TABLE t (a INT); CREATE TRIGGER one BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 7;
         CREATE TRIGGER two BEFORE UPDATE ON t FOR EACH ROW BEGIN\n SET NEW.a = 8;\nEND;`,
      )
      await roundTrip(source, target)
      await target.execute('INSERT INTO t VALUES (1); UPDATE t SET a = a + 1')
      expect(await target.column('SELECT a FROM t')).toEqual(['8'])
    }))

  it('a backup passes a drill on a throwaway server; a restore by swap is undone', async () => {
    const source = await database().create()
    onTestFinished(() => source.drop())
    await source.run([...tortureOfBoth, ...tortureOfMysql])
    const hf = await holdfastIn(
      await testFolder(),
      {
        databases: { shop: { ...configOf(source.connection), fingerprint: 'content' } },
        ...(binDirectory === undefined ? {} : { devServers: { mysql: { programs: binDirectory } } }),
      },
      { env: context().env },
    )
    resultOf(await hf.backup())
    const { results } = await hf.drill()
    expect(results).toMatchObject([
      {
        ok: true,
        proof: {
          ...{ result: 'passed', schema: 'same', restoredInto: { kind: 'throwaway', product: 'MySQL' } },
          comparison: { level: 'content', differences: [] },
        },
      },
    ])
    const whole = [await source.digest(), await source.schemaText()]
    await source.execute('DROP TABLE computed')
    const { kept = '' } = await hf.restore({ strategy: 'swap', confirm: true })
    expect([await source.digest(), await source.schemaText()]).toEqual(whole)
    await hf.undoRestore({ confirm: true })
    expect(await source.tables()).not.toContain('computed')
    await hf.discardOld({ confirm: true })
    expect(await source.rows(`SHOW DATABASES LIKE '${kept.slice(0, -7)}%'`)).toEqual([])
  })

  for (const options of ['', 'CHARACTER SET latin1 COLLATE latin1_german1_ci']) {
    it(`FAILURES 42–48: all that has been lost before comes back${options === '' ? '' : `, ${options}`}`, () =>
      withTwo(options, async (source, target) => {
        await source.run([...tortureOfBoth, ...tortureOfMysql])
        await roundTrip(source, target)
        expect(await target.schemaText()).toBe(await source.schemaText())
        await target.drop()
        await copyInPieces(source, target, { context: context() })
        expect(await target.digest()).toEqual(await source.digest())
        expect(await target.schemaText()).toBe(await source.schemaText())
      }))
  }
})
