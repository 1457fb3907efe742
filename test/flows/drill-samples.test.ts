import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, onTestFinished } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import { ScratchDatabase as MongoScratch } from '../../src/engines/mongodb/test-database.js'
import { fillCorpus } from '../../src/engines/mongodb/test-bson.js'
import { fillSample as fillMongo } from '../../src/engines/mongodb/test-sample.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { tortureOfBoth, tortureOfMariadb } from '../../src/engines/mysql/torture.js'
import { identifier } from '../../src/engines/postgres/quoting.js'
import { execute as executeOn, psql, TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { rareObjects, tortureObjects } from '../../src/engines/postgres/test-torture.js'
import {
  fillSample as fillSqlite,
  removeTestFolders,
  TestDatabase as SqliteDatabase,
} from '../../src/engines/sqlite/test-database.js'
import type { DrillProof } from '../../src/operations/drill-results.js'
import { mongodbPrograms } from '../../scripts/mongodb-tools.mjs'
import { needsAll, needsSamples, needsServer, samplesFolder } from '../servers/needs.js'
import { configOf, holdfastIn, resultsOf, testFolder } from './workbench.js'

const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')
const mongodb = needsServer('mongodb')
const samples = needsSamples()

const sample = (file: string) => readFileSync(join(samplesFolder, file), 'utf8')

/** Backs up every database, and drills all of the backups. */
async function proofs(folder: string, config: HoldfastConfig, connector?: string) {
  const hf = await holdfastIn(folder, { fingerprint: 'content', ...config })
  resultsOf(await hf.backup(connector === undefined ? {} : { connector }))
  const { results } = await hf.drill()
  const found: Record<string, DrillProof> = {}
  for (const { database = '', proof, error } of results) {
    if (error !== undefined) throw error
    if (proof !== undefined) found[database] = proof
  }
  return found
}

/** In scripts that make a database for themselves. */
const ofItsOwn = /^(?:DROP DATABASE|CREATE DATABASE|USE|\\c) .*$/gmu

const same = (tables: number) => ({
  result: 'passed',
  schema: 'same',
  comparison: { level: 'content', tables, differences: [] },
})

describe('everything that an engine has, and public databases, pass a drill', () => {
  afterAll(removeTestFolders)

  samples.it('SQLite', async () => {
    const folder = await testFolder()
    const torture = new SqliteDatabase()
    fillSqlite(torture)
    copyFileSync(join(samplesFolder, 'chinook/Chinook_Sqlite.sqlite'), join(folder, 'chinook.db'))
    const northwind = new SqliteDatabase()
    northwind.run(`PRAGMA synchronous = OFF; ${sample('northwind/northwind-sqlite-create.sql')}`)
    const databases = {
      torture: { engine: 'sqlite', name: torture.path },
      chinook: 'sqlite:./chinook.db',
      northwind: { engine: 'sqlite', name: northwind.path },
    }
    const { torture: first, ...others } = await proofs(folder, { databases })
    expect(first).toMatchObject({ result: 'passed', schema: 'same', comparison: { differences: [] } })
    expect(others).toMatchObject({ chinook: same(11), northwind: same(13) })
  })

  needsAll(postgresql, samples).it('PostgreSQL', async () => {
    const server = postgresql.server()
    const suffix = randomBytes(4).toString('hex')
    const role = `-r"o%le 'x'\n${suffix}`
    const [torture, sakila] = [new TestDatabase(server), new TestDatabase(server)]
    await executeOn(server, 'postgres', `CREATE ROLE ${identifier(role)}`)
    onTestFinished(async () => {
      await Promise.all([torture.drop(), sakila.drop()])
      await executeOn(server, 'postgres', `DROP ROLE ${identifier(role)}`)
    })
    await Promise.all([torture.make(), sakila.make()])
    await psql(torture, tortureObjects(identifier(role), suffix))
    await psql(torture, `SET client_min_messages = warning; ${rareObjects(identifier(role))}`)
    const schema = sample('sakila/postgres-sakila-schema.sql')
    // Its owner is not a role of every server.
    await psql(sakila, schema.replace(/^.* (?:OWNER TO|FROM|TO) postgres;$/gmu, ''))
    await psql(sakila, sample('sakila/postgres-sakila-insert-data-using-copy.sql'))
    for (const variant of ['PostgreSql', 'PostgreSql_SerialPKs']) {
      const script = sample(`chinook/Chinook_${variant}.sql`).replace(ofItsOwn, '')
      await psql(sakila, `CREATE SCHEMA ${variant}; SET search_path = ${variant}; ${script}`)
    }
    const databases = { torture: configOf(torture.connection), samples: configOf(sakila.connection) }
    const found = await proofs(await testFolder(), { databases })
    expect(found['torture']).toMatchObject({
      result: 'passed',
      schema: 'same',
      comparison: { level: 'content', differences: [] },
    })
    expect(found['samples']).toMatchObject(same(43))
  })

  needsAll(mariadb, samples).it('MariaDB', async () => {
    const server = mariadb.server()
    const [torture, chinook] = [
      new ScratchDatabase(server, 'mariadb'),
      new ScratchDatabase(server, 'mariadb'),
    ]
    onTestFinished(async () => void (await Promise.all([torture.drop(), chinook.drop()])))
    await torture.create()
    await torture.run([...tortureOfBoth, ...tortureOfMariadb])
    await chinook.create()
    const { host, port, user, password } = server
    for (const [into, variant] of [
      [chinook, 'MySql'],
      [torture, 'MySql_AutoIncrementPKs'],
    ] as const) {
      const input = sample(`chinook/Chinook_${variant}.sql`).replace(ofItsOwn, '')
      const args = ['--no-defaults', '--skip-ssl', `-h${host}`, `-P${port}`, `-u${user}`, into.name]
      execFileSync('mariadb', args, { input, env: { PATH: process.env['PATH'], MYSQL_PWD: password } })
    }
    const databases = { torture: configOf(torture.connection), chinook: configOf(chinook.connection) }
    const found = await proofs(await testFolder(), { databases })
    expect(found['torture']).toMatchObject({
      result: 'passed',
      schema: 'same',
      comparison: { level: 'content', differences: [] },
    })
    expect(found['chinook']).toMatchObject(same(11))
  })

  needsAll(mongodb, samples).it('FerretDB, with the documents of the public corpus', async () => {
    const database = await new MongoScratch(mongodb.server()).create()
    onTestFinished(() => database.drop())
    await fillMongo(database)
    expect(await fillCorpus(database)).toBeGreaterThan(30)
    const programs = dirname(mongodbPrograms()?.server ?? '')
    const found = await proofs(
      await testFolder(),
      { databases: { shop: configOf(database.connection) }, devServers: { mongodb: { programs } } },
      'mongodb-driver',
    )
    expect(found['shop']).toMatchObject(same(7))
  })
})
