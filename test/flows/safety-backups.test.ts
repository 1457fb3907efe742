import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ScratchDatabase as MongoDatabase } from '../../src/engines/mongodb/test-database.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { needsServer } from '../servers/needs.js'
import { holdfastIn, resultOf, testFolder } from './workbench.js'

const mariadb = needsServer('mariadb')
const mongodb = needsServer('mongodb')

mariadb.describe('a restore in place into MariaDB, which cannot undo', () => {
  let database: ScratchDatabase

  beforeEach(async () => {
    database = await new ScratchDatabase(mariadb.server(), 'mariadb').create()
    await database.run([
      'CREATE TABLE a (id INT PRIMARY KEY, t TEXT)',
      `INSERT INTO a SELECT seq, CONCAT('a ', seq) FROM seq_1_to_100`,
      'CREATE TABLE b (id INT PRIMARY KEY)',
      'INSERT INTO b VALUES (1), (2)',
    ])
  })
  afterEach(() => database.drop())

  const settings = () => {
    const { host, port, user, password } = mariadb.server()
    return { engine: 'mariadb', host, port, user, password, name: database.name }
  }

  it('backs up what is there; that backup is restored by its id, and is never the latest', async () => {
    const folder = await testFolder()
    const hf = await holdfastIn(folder, { databases: { shop: settings() } })
    const wanted = resultOf(await hf.backup())
    const original = await database.digest()
    await database.execute('DELETE FROM a WHERE id > 10')
    const before = await database.digest()
    const { plan, safetyBackup = '' } = await hf.restore({ confirm: true })
    expect([plan.safetyBackup, await database.digest()]).toEqual([true, original])
    expect((await hf.show({ backup: safetyBackup })).manifest).toMatchObject({ purpose: 'before-restore' })
    expect((await hf.show()).manifest.id).toBe(wanted.id)
    expect((await hf.restore({ dryRun: true })).plan.source).toBe(wanted.id)
    expect((await hf.verify()).results.length).toBe(2)
    await hf.restore({ backup: safetyBackup, safetyBackup: false, confirm: true })
    expect(await database.digest()).toEqual(before)
    expect((await hf.list()).backups.length).toBe(2)
  })

  it('FAILURES 67: puts it back where the restore fails, unless it was told not to', async () => {
    const folder = await testFolder()
    const hf = await holdfastIn(folder, { databases: { shop: settings() }, compress: 'none' })
    const result = resultOf(await hf.backup())
    const broken = join(folder, 'broken.sql')
    const sql = readFileSync(
      join(folder, 'backups', result.backup?.manifest.parts[0]?.stored.key ?? ''),
      'utf8',
    )
    const at = sql.indexOf('INSERT INTO `b`')
    writeFileSync(broken, `${sql.slice(0, at)}INSERT INTO nowhere VALUES (1);\n${sql.slice(at)}`)
    await database.execute('DELETE FROM a WHERE id > 10; CREATE TABLE later (i INT)')
    const before = await database.digest()
    const failed = await hf.restore({ backup: broken, confirm: true }).catch((error: unknown) => error)
    expect(failed).toMatchObject({
      code: 'tool.failed',
      message: expect.stringMatching(
        /nowhere.* is as it was: the backup \S+, made before, was put back$/u,
      ) as string,
    })
    expect(await database.digest()).toEqual(before)
    await expect(hf.restore({ backup: broken, safetyBackup: false, confirm: true })).rejects.toMatchObject({
      code: 'restore.incomplete',
    })
    expect(await database.digest()).not.toEqual(before)
  })

  it('restores nothing where that backup could not be read here', async () => {
    const folder = await testFolder()
    const age = { recipients: [await identityToRecipient(await generateX25519Identity())] }
    const open = await holdfastIn(folder, { databases: { shop: settings() } })
    resultOf(await open.backup())
    await database.execute('DELETE FROM a WHERE id > 10')
    const before = await database.digest()
    const hf = await holdfastIn(folder, { databases: { shop: settings() }, encrypt: { age } })
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({
      code: 'key.missing',
      message: expect.stringContaining('the backup before the restore failed') as string,
    })
    expect(await database.digest()).toEqual(before)
  })
})

mongodb.describe('a restore in place into MongoDB, which cannot undo', () => {
  it('FAILURES 67: puts back the backup that was made before where the restore fails', async () => {
    const { host, port, user, password, binDirectory } = mongodb.server()
    const folder = await testFolder()
    const database = new MongoDatabase(mongodb.server())
    // It restores all, and fails the first time.
    const restoreCommand = join(folder, 'mongorestore')
    writeFileSync(
      restoreCommand,
      `#!/bin/sh\n"${join(binDirectory, 'mongorestore')}" "$@" || exit\n[ "$1" = --version ] || [ -e "${folder}/failed" ] || { touch "${folder}/failed"; exit 1; }\n`,
    )
    chmodSync(restoreCommand, 0o755)
    const tools = { dumpCommand: join(binDirectory, 'mongodump'), restoreCommand }
    const shop = {
      engine: 'mongodb',
      host,
      port,
      user,
      password,
      name: database.name,
      authSource: 'admin',
      ...tools,
    }
    const hf = await holdfastIn(folder, { databases: { shop } })
    try {
      await database.on(async (each) => {
        await each.collection<{ i: number }>('author').insertMany([{ i: 1 }, { i: 2 }])
        await each.collection<{ i: number }>('book').createIndex({ i: 1 })
      })
      resultOf(await hf.backup())
      await database.on(async (each) => {
        await each.collection('author').deleteMany({})
        await each.collection<{ i: number }>('later').insertOne({ i: 1 })
      })
      const before = await database.digest()
      await expect(hf.restore({ confirm: true })).rejects.toMatchObject({
        code: 'tool.failed',
        message: expect.stringMatching(/is as it was: the backup \S+, made before, was put back$/u) as string,
      })
      expect(await database.digest()).toEqual(before)
      await hf.restore({ confirm: true })
      expect(await database.digest()).not.toEqual(before)
    } finally {
      await database.drop()
    }
  })
})
