import { join } from 'node:path'
import { expect } from 'vitest'
import { needsServer } from '../../../test/servers/needs.js'
import type { ServerAddress } from '../../../test/servers/server.js'
import { createHoldfast } from '../../holdfast.js'
import { ScratchDatabase } from './test-database.js'
import { scratchContext } from './test-connector.js'
import { fillSample } from './test-sample.js'

const server = needsServer('mongodb')

function connectionUrl({ user, password, host, port }: ServerAddress, name: string, query: string): string {
  return `mongodb://${user}:${password}@${host}:${port}/${name}?${query}`
}

server.describe('MongoDB through the library', () => {
  for (const connector of ['mongodump', 'mongodb-driver']) {
    server.it(`${connector}: back up, list, verify, damage, restore`, async () => {
      const address = server.server()
      const database = new ScratchDatabase(address)
      const folder = await scratchContext().env.temporaryDirectory()
      const { host, port, user, password, binDirectory } = address
      const hf = await createHoldfast(
        {
          databases: {
            shop: {
              ...{ engine: 'mongodb', host, port, user, password, name: database.name, connector },
              authSource: 'admin',
              exclude: ['lonely'],
              ...(connector === 'mongodump'
                ? {
                    dumpCommand: join(binDirectory, 'mongodump'),
                    restoreCommand: join(binDirectory, 'mongorestore'),
                  }
                : {}),
            },
          },
          storages: { main: { driver: 'local', path: join(folder.path, 'backups') } },
        },
        { baseDirectory: folder.path },
      )
      try {
        await fillSample(database)
        const wanted = await database.digest()
        const [outcome] = await hf.backup()
        if (outcome?.ok !== true) throw outcome?.error ?? new Error('no outcome')
        expect(outcome.result.backup?.manifest).toMatchObject({ engine: 'mongodb', connector })
        expect(JSON.stringify(outcome.result)).not.toContain(password)
        const { results } = await hf.verify()
        expect(results).toMatchObject([{ ok: true }])
        await database.on(async (each) => {
          await each.collection('author').deleteMany({})
          await each.collection('book').drop()
        })
        await expect(hf.restore({ strategy: 'swap', confirm: true })).rejects.toMatchObject({
          code: 'usage.not-supported',
          message: expect.stringMatching(/^mongodb has no strategy.* swap$/u) as string,
        })
        await hf.restore({ confirm: true })
        expect(await database.digest()).toEqual(wanted)
        await database.on((each) => each.collection('author').deleteMany({}))
        const { comparison } = await hf.restore({ tables: ['author'], confirm: true })
        expect(comparison).toMatchObject({ tables: 1, differences: [] })
        expect(await database.digest()).toEqual(wanted)
        const elsewhere = await createHoldfast({
          databases: {
            shop: {
              url: connectionUrl(address, database.name, 'AUTHSOURCE=admin'),
              connector,
              authSource: 'elsewhere',
            },
          },
        })
        // The setting wins over the URL, however that writes it.
        expect(await elsewhere.backup()).toMatchObject([
          { ok: false, error: { code: 'database.login-refused' } },
        ])
      } finally {
        await hf.close()
        await database.drop()
        await folder.remove()
      }
    })
  }
})
