import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { needsServer } from '../../../../test/servers/needs.js'
import type { TemporaryDirectory } from '../../../env/env.js'
import type { ArchivedCollection } from '../archive.js'
import { ArchiveWriter } from '../archive-writer.js'
import { unfinishedMark } from '../collections.js'
import { missingBehindViews } from '../restore-part.js'
import { ScratchDatabase } from '../test-database.js'
import { connectorOf, dumpOf, requestOf, restoreInto, scratchContext, sourceOf } from '../test-connector.js'
import { fillSample } from '../test-sample.js'
import { mongodbDriver } from './mongodb-driver.js'
import { mongodump } from './mongodump.js'
import { BSON } from 'mongodb'

const server = needsServer('mongodb')
const factories = [mongodump, mongodbDriver]

server.describe('restoring', () => {
  let source: ScratchDatabase
  let target: ScratchDatabase
  let folder: TemporaryDirectory

  beforeEach(async () => {
    source = new ScratchDatabase(server.server())
    target = new ScratchDatabase(server.server())
    folder = await scratchContext().env.temporaryDirectory()
  })
  afterEach(async () => {
    await source.drop()
    await target.drop()
    await folder.remove()
  })

  /** A mongorestore of the test's own, which may call the real one as `real`. */
  async function wrapper(script: string): Promise<string> {
    const path = join(folder.path, 'wrapper')
    const real = join(server.server().binDirectory, 'mongorestore')
    await writeFile(
      path,
      `#!/bin/sh\nreal() { '${real}' "$@"; }\ncase "$*" in *--version*) exec '${real}' "$@";; esac\n${script}\n`,
    )
    await chmod(path, 0o755)
    return path
  }

  function archiveOf(
    contents: readonly {
      readonly name: string
      readonly documents: readonly object[]
      readonly metadata?: string
    }[],
    database = 'elsewhere',
  ): Buffer {
    const collections = contents.map(({ name, metadata }): ArchivedCollection => ({
      ...{ database, name, type: 'collection' },
      metadata: metadata ?? `{"indexes":[{"v":2,"key":{"_id":1},"name":"_id_"}],"collectionName":"${name}"}`,
    }))
    const writer = new ArchiveWriter({ serverVersion: '7.0.0', toolVersion: '100.9.5', collections }, 1)
    for (const [index, each] of collections.entries()) {
      writer.documents(each, contents[index]?.documents.map((document) => BSON.serialize(document)) ?? [])
      writer.end(each)
    }
    return Buffer.concat([...writer.take(), writer.rest()])
  }

  it('each reads what the other wrote, into a database of another name', async () => {
    await fillSample(source)
    const [digest, schema] = [await source.digest(), await source.schemaText()]
    for (const writer of factories) {
      const { bytes } = await dumpOf(source, { factory: writer })
      for (const reader of factories) {
        const { warnings } = await restoreInto(target, bytes, { create: true }, { factory: reader })
        expect(warnings).toEqual([])
        expect(await target.digest()).toEqual(digest)
        expect(await target.schemaText()).toBe(schema)
        await target.drop()
      }
    }
  })

  it('a part: some collections, their definitions or documents alone; what else is there stays', async () => {
    await fillSample(source)
    const { author, book } = await source.digest()
    const { bytes } = await dumpOf(source)
    const indexes = async () =>
      (await target.schemaText()).split('\n').find((line) => line.includes('"book"'))
    for (const factory of factories) {
      const restored = (request: Parameters<typeof restoreInto>[2]) =>
        restoreInto(target, bytes, request, { factory })
      await target.on(async (database) => {
        await database.collection('mine').insertOne({ mine: 1 })
        await database.collection('book').insertOne({ late: 1 })
      })
      await restored({ tables: ['bo*', 'author'] })
      const { mine, ...others } = await target.digest()
      expect([mine === undefined, others]).toEqual([false, { author, book }])
      const made = await indexes()
      expect(made).toContain('title')
      await restored({ tables: ['book'], schemaOnly: true })
      expect([await target.rowCount('book'), await indexes()]).toEqual([0, made])
      await target.on((database) => database.collection('book').insertOne({ late: 1 }))
      await restored({ tables: ['book'], dataOnly: true })
      expect([(await target.digest())['book'], await indexes()]).toEqual([book, made])

      await expect(restored({ tables: ['none'] })).rejects.toMatchObject({ code: 'usage.pattern-unmatched' })
      await expect(restored({ dataOnly: true, create: true })).rejects.toMatchObject({
        code: 'usage.invalid',
      })
      // Others of the archive are not there.
      await expect(restored({ dataOnly: true })).rejects.toMatchObject({
        code: 'database.requirement-missing',
      })
      expect(await target.tables()).toEqual(['author', 'book', 'mine'])
      await target.drop()
    }
  })

  it('of a part, views name what they look at and is not there', async () => {
    const view = (name: string, on: string): ArchivedCollection => ({
      ...{ database: 'a', name, type: 'view' },
      metadata: JSON.stringify({ options: { viewOn: on, pipeline: [] } }),
    })
    const book = { ...view('book', ''), type: 'collection' }
    const archived = {
      name: 'a',
      others: [],
      collections: [view('x', 'book'), view('y', 'x'), view('z', 'there')],
    }
    expect(await missingBehindViews(archived, new Set(['there']))).toEqual([
      'the view x looks at book, which is not restored with it and is not there',
    ])
    const whole = { ...archived, collections: [...archived.collections, book] }
    expect(await missingBehindViews(whole, new Set(['there']))).toEqual([])
  })

  it('FAILURES 68: documents that the server refuses fail the restore, although the tool is content', async () => {
    const twice = archiveOf([{ name: 'a', documents: [{ _id: 1, n: 1 }, { _id: 2 }, { _id: 1, n: 2 }] }])
    for (const factory of factories) {
      await expect(restoreInto(target, twice, { create: true }, { factory })).rejects.toMatchObject({
        message: expect.stringMatching(/E11000|duplicate/iu) as string,
      })
      expect(await target.tables()).toEqual([])
    }
    // As mongorestore does it by itself: status 0, and a document less.
    const lenient = await wrapper(
      'for word do shift; test "$word" = --stopOnError || set -- "$@" "$word"; done; real "$@"',
    )
    await expect(
      restoreInto(target, twice, { create: true }, { tools: { restoreCommand: [lenient] } }),
    ).rejects.toMatchObject({
      code: 'tool.failed',
      message: 'mongorestore has restored 2 of 3 documents',
    })
    expect(await target.tables()).toEqual([])
  })

  it('FAILURES 2: a status other than 0 is an error, however much was restored', async () => {
    const path = await wrapper('real "$@"; echo "Failed: error at the end" >&2; exit 1')
    const bytes = archiveOf([{ name: 'a', documents: [{ _id: 1 }] }])
    await expect(
      restoreInto(target, bytes, { create: true }, { tools: { restoreCommand: [path] } }),
    ).rejects.toMatchObject({ code: 'tool.failed', message: expect.stringContaining('at the end') as string })
    expect(await target.tables()).toEqual([])
  })

  it('FAILURES 67: what is left in part is marked, and the restore can be run again', async () => {
    await target.on((database) => database.collection('a').insertOne({ old: 1 }))
    const bytes = archiveOf([
      { name: 'a', documents: [{ _id: 1 }] },
      { name: 'b', documents: [{ _id: 1 }, { _id: 1 }] },
    ])
    for (const factory of factories) {
      await expect(restoreInto(target, bytes, {}, { factory })).rejects.toMatchObject({
        code: 'restore.incomplete',
      })
      expect(await target.tables()).toContain(unfinishedMark)
      const whole = archiveOf([
        { name: 'a', documents: [{ _id: 1 }] },
        { name: 'b', documents: [{ _id: 1 }] },
      ])
      await restoreInto(target, whole, {}, { factory })
      expect(await target.tables()).toEqual(['a', 'b'])
    }
  })

  it('FAILURES 66: drop false leaves what is there alone, and refuses what is in both', async () => {
    await target.on((database) => database.collection('mine').insertOne({ _id: 1 as never }))
    for (const factory of factories) {
      const options = { drop: false }
      await expect(
        restoreInto(target, archiveOf([{ name: 'mine', documents: [] }]), {}, { factory, options }),
      ).rejects.toMatchObject({ code: 'refused.not-empty' })
      const bytes = archiveOf([{ name: 'other', documents: [{ _id: 1 }] }])
      await restoreInto(target, bytes, {}, { factory, options })
      expect(await target.rowCount('mine')).toBe(1)
      expect(await target.rowCount('other')).toBe(1)
      await target.on((database) => database.dropCollection('other'))
    }
  })

  it('objcheck is on unless it is turned off, as is drop', async () => {
    const path = await wrapper('echo "told: $*" >&2; real "$@"')
    const bytes = archiveOf([{ name: 'a', documents: [{ _id: 1 }] }])
    await restoreInto(target, bytes, { create: true })
    const told = async (parameters: Record<string, string>, drop?: boolean) => {
      const connection = {
        ...target.connection,
        parameters: { ...target.connection.parameters, ...parameters },
      }
      const options = drop === undefined ? {} : { drop }
      const { warnings } = await restoreInto(
        target,
        drop === false ? archiveOf([{ name: 'not there yet', documents: [] }]) : bytes,
        {},
        { connection, tools: { restoreCommand: [path] }, options },
      )
      return warnings.join()
    }
    expect(await told({})).toMatch(/--stopOnError .*--drop --objcheck/u)
    expect(await told({ objcheck: 'false' })).not.toContain('--objcheck')
    expect(await told({}, false)).not.toContain('--drop')
    const connection = { ...target.connection, parameters: { objcheck: 'maybe' } }
    expect(() => connectorOf(target, { connection })).toThrow('objcheck is maybe')
  })

  it('of an archive of several databases the one of the name is restored', async () => {
    const collections = ['one', target.name].map((database): ArchivedCollection => ({
      database,
      name: 'a',
      type: 'collection',
      metadata: '',
    }))
    const writer = new ArchiveWriter({ serverVersion: '7.0.0', toolVersion: '', collections }, 1)
    for (const [index, each] of collections.entries()) {
      writer.documents(each, [BSON.serialize({ _id: index })])
      writer.end(each)
    }
    const bytes = Buffer.concat([...writer.take(), writer.rest()])
    for (const factory of factories) {
      const { warnings } = await restoreInto(target, bytes, { create: true }, { factory })
      expect(warnings).toEqual([`of the archive's databases only ${target.name} is restored, not one`])
      expect((await target.rawDocuments('a')).map((document) => BSON.deserialize(document))).toEqual([
        { _id: 1 },
      ])
      await expect(restoreInto(source, bytes, { create: true }, { factory })).rejects.toMatchObject({
        code: 'usage.not-supported',
      })
      await target.drop()
    }
  })

  it('FAILURES 55: options come before documents', async () => {
    const capped =
      '{"options":{"capped":true,"size":{"$numberInt":"65536"},"max":{"$numberInt":"10"}},"indexes":[]}'
    const view = '{"options":{"viewOn":"a","pipeline":[]},"indexes":[]}'
    for (const factory of factories) {
      const bytes = archiveOf([{ name: 'a', documents: [{ _id: 1 }], metadata: capped }])
      await restoreInto(target, bytes, { create: true }, { factory })
      expect(await target.schemaText()).toContain('capped')
      await target.drop()
      // What a server does not know it refuses before a document comes in.
      const odd = archiveOf([
        { name: 'a', documents: [{ _id: 1 }] },
        { name: 'v', documents: [], metadata: view },
      ])
      const restoring = restoreInto(target, odd, { create: true }, { factory })
      if (source.isFerretdb) await expect(restoring).rejects.toThrow(/viewOn/u)
      else await restoring
      expect(await target.tables()).toEqual(source.isFerretdb ? [] : ['a'])
      await target.drop()
    }
  })

  it('FAILURES 56: indexes that let documents expire come after all documents and other indexes', async () => {
    const expiring =
      '{"indexes":[{"v":{"$numberInt":"2"},"key":{"at":{"$numberInt":"1"}},"name":"ttl","expireAfterSeconds":{"$numberInt":"0"}},{"v":2,"key":{"n":1},"name":"plain"}]}'
    const bytes = archiveOf([
      { name: 'a', documents: [{ _id: 1, at: new Date(0) }], metadata: expiring },
      { name: 'b', documents: [{ _id: 1 }, { _id: 2 }], metadata: expiring },
    ])
    for (const factory of factories) {
      await target.on((database) => database.createCollection('mine'))
      const restoring = restoreInto(target, bytes, {}, { factory })
      if (source.isFerretdb) {
        // FerretDB 1.x has no such indexes: that it is asked last shows in what is there when it refuses.
        await expect(restoring).rejects.toMatchObject({
          code: 'restore.incomplete',
          message: expect.stringContaining('expireAfterSeconds') as string,
        })
        expect(await target.rowCount('b')).toBe(2)
        expect((await target.schemaText()).match(/"plain\\*"/gu)).toHaveLength(2)
      } else {
        await restoring
        expect((await target.schemaText()).match(/expireAfterSeconds/gu)).toHaveLength(2)
      }
      await target.drop()
    }
  })

  it('says before that the dump is from a newer server', async () => {
    const collections = [{ database: 'x', name: 'a', type: 'collection', metadata: '' }]
    const writer = new ArchiveWriter({ serverVersion: '99.0.0', toolVersion: '', collections }, 1)
    for (const each of collections) writer.end(each)
    const bytes = Buffer.concat([...writer.take(), writer.rest()])
    for (const factory of factories) {
      const prepared = await connectorOf(target, { factory }).prepareRestore(
        scratchContext(),
        sourceOf(bytes),
        requestOf({ create: true }),
      )
      expect(prepared.warnings).toEqual([expect.stringContaining('the dump is from MongoDB 99.0.0')])
    }
  })
})
