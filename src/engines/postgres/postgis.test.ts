import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { needsAll, needsPostgis, needsServer } from '../../../test/servers/needs.js'
import { restoreRequest, restoreSource } from '../../testing/connector-contract.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { pgDumpGis } from './connectors/pg-dump-gis.js'
import { postgresql } from './engine.js'
import { connectorSettings, dumpBytes, testContext, type SettingsChanges } from './test-fixture.js'
import { ownReferenceSystem, placesSql, PostgisAccount, type OrdinaryDatabase } from './test-postgis.js'
import { contentOf, restore } from './test-restore.js'

const server = needsServer('postgresql')
const postgis = needsAll(server, needsPostgis())

it('databases that are configured as postgis have the connector pg-dump-gis', () => {
  expect(postgresql.aliases).toContain('postgis')
  expect(postgresql.connectors[postgresql.aliasConnectors['postgis'] ?? '']).toBe(pgDumpGis)
})

postgis.describe('a database with PostGIS of an ordinary user', () => {
  if (postgis.missing !== undefined) return
  const account = new PostgisAccount(server.server())
  const admin: SettingsChanges = { admin: account.admin }
  let original: OrdinaryDatabase
  let dump: Buffer
  const made: OrdinaryDatabase[] = []
  const kept = (database: OrdinaryDatabase) => {
    made.push(database)
    return database
  }
  beforeAll(async () => {
    await account.make()
    original = await account.empty(true)
    await original.executeAsAdmin(ownReferenceSystem)
    await original.execute(placesSql)
    dump = (await dumpBytes(connectorSettings(original.connection), pgDumpGis)).bytes
  })
  afterAll(async () => {
    await original.drop()
    await account.drop()
  })
  beforeEach(() => {
    made.length = 0
  })
  afterEach(async () => {
    for (const database of made) await database.drop()
  })

  /** All that PostGIS adds to a database, and the rows that users have added to its own table. */
  const allOf = async (database: OrdinaryDatabase) => ({
    dump: await database.pgDump(),
    digest: await database.digest(),
    systems: await database.rows('SELECT * FROM spatial_ref_sys WHERE srid > 990000'),
    privileges: await database.rows(
      `SELECT relname, relacl::text FROM pg_class WHERE relname ~ '^(spatial_ref_sys|geo.*_columns)$' ORDER BY 1`,
    ),
    indexed: await database.rows(
      `SELECT count(*) FROM places WHERE point && ST_MakeEnvelope(0, -1, 1, 0, 4326)`,
    ),
    columns: await database.rows(
      'SELECT f_table_name, f_geometry_column, coord_dimension, srid, type FROM geometry_columns ORDER BY 1, 2',
    ),
  })
  const prepare = (database: OrdinaryDatabase, changes: SettingsChanges, request: object = {}) =>
    pgDumpGis
      .create(connectorSettings(database.connection, changes))
      .prepareRestore(testContext(), restoreSource(dump), restoreRequest(request))

  it('FAILURES 33: comes back whole, the extension made by the admin account in the database itself', async () => {
    const wanted = await allOf(original)
    expect(wanted.systems).toHaveLength(1)
    expect(wanted.columns).toHaveLength(5)
    const targets = [
      await restored(kept(account.database()), { create: true }),
      await restored(kept(await account.empty(false)), {}),
      await restored(kept(await account.empty(true)), { clean: 'none' }),
      await restored(kept(await account.empty(false)), { clean: 'database', disconnect: true }),
    ]
    for (const target of targets) {
      expect(await allOf(target)).toEqual(wanted)
      expect(
        await target.rows(
          `SELECT (SELECT extowner::regrole::text FROM pg_extension WHERE extname = 'postgis') AS extension,
             (SELECT tableowner::text FROM pg_tables WHERE tablename = 'places') AS places`,
        ),
      ).toEqual([{ extension: account.server.user, places: account.user }])
    }
  })

  async function restored(target: OrdinaryDatabase, request: object): Promise<OrdinaryDatabase> {
    const { warnings } = await restore(pgDumpGis, target, dump, request, admin)
    expect(warnings).toEqual([])
    return target
  }

  it('over a changed copy of itself: rows that users have added to spatial_ref_sys are those of the dump', async () => {
    const target = await restored(kept(await account.empty(false)), {})
    await target.executeAsAdmin(`UPDATE spatial_ref_sys SET auth_name = 'changed' WHERE srid = 990001;
      INSERT INTO spatial_ref_sys (srid, srtext) VALUES (990002, 'later')`)
    await target.execute('UPDATE places SET point = NULL; ALTER TABLE places DROP COLUMN shape CASCADE')
    const { losses } = await prepare(target, admin)
    expect(losses).toContain("rows of public.spatial_ref_sys that are not postgis's own")
    await restored(target, {})
    expect(await allOf(target)).toEqual(await allOf(original))
  })

  it('nothing is left of a restore that fails: neither the extension nor a privilege', async () => {
    const failing = Buffer.from(
      dump
        .toString('latin1')
        .replace('CREATE INDEX places_brin ON public.places', 'CREATE INDEX places_brin ON public.nowher'),
      'latin1',
    )
    const before = kept(await account.empty(false))
    const old = await contentOf(before)
    await expect(restore(pgDumpGis, before, failing, {}, admin)).rejects.toMatchObject({
      code: 'tool.failed',
    })
    expect(await contentOf(before)).toEqual(old)
    const premade = kept(await account.empty(true))
    await premade.executeAsAdmin(ownReferenceSystem)
    const privileges = `SELECT relacl::text, (SELECT count(*) FROM spatial_ref_sys WHERE srid > 990000) AS own FROM pg_class WHERE relname = 'spatial_ref_sys'`
    const granted = await premade.rows(privileges)
    await expect(restore(pgDumpGis, premade, failing, {}, admin)).rejects.toMatchObject({
      code: 'tool.failed',
    })
    expect(await premade.rows(privileges)).toEqual(granted)
  })

  it('without an admin account, what the user may not do is refused before anything is changed', async () => {
    const empty = kept(await account.empty(false))
    const refused = {
      code: 'database.denied',
      message: `${account.user} may not create the extension postgis`,
      hint: expect.stringMatching(/adminUser.*CREATE EXTENSION "postgis" in the target/u) as string,
    }
    await expect(prepare(empty, {})).rejects.toMatchObject(refused)
    await expect(restore(pgDumpGis, empty, dump)).rejects.toMatchObject(refused)
    expect(await empty.rows(`SELECT FROM pg_extension WHERE extname = 'postgis'`)).toEqual([])

    const premade = kept(await account.empty(true))
    await expect(prepare(premade, {})).rejects.toMatchObject({
      code: 'database.denied',
      message: expect.stringContaining('may not write "public"."spatial_ref_sys"') as string,
      hint: expect.stringContaining(
        `GRANT INSERT, DELETE ON "public"."spatial_ref_sys" TO "${account.user}"`,
      ) as string,
    })
    await premade.executeAsAdmin(`GRANT INSERT, DELETE ON spatial_ref_sys TO ${account.user}`)
    await restore(pgDumpGis, premade, dump)
    expect(await premade.digest()).toEqual(await original.digest())
    // An account that is configured and may not, either.
    const { user, password } = account
    await expect(prepare(empty, { admin: { user, password } })).rejects.toMatchObject(refused)
  })

  it('the connector without this cannot do it, and says why', async () => {
    const target = kept(await account.empty(false))
    await expect(restore(pgDumpCustom, target, dump, {}, admin)).rejects.toMatchObject({
      code: 'tool.failed',
      hint: expect.stringContaining('pg-dump-gis') as string,
    })
  })

  it('a server without PostGIS is found before', async () => {
    const altered = Buffer.from(dump.toString('latin1').replaceAll('postgis', 'nosuch1'), 'latin1')
    await expect(
      restore(pgDumpGis, kept(await account.empty(false)), altered, {}, admin),
    ).rejects.toMatchObject({
      code: 'database.requirement-missing',
      message: 'the server of the target does not have the extension nosuch1',
    })
  })

  it('an extension in a schema of its own, with other extensions and odd names, comes with its schema', async () => {
    const schema = `Geo-x y`
    const source = kept(await account.empty(false))
    await source.execute(`CREATE SCHEMA "Geo-x y"; CREATE TABLE "Geo-x y".inside (i int)`)
    await source.executeAsAdmin(`CREATE EXTENSION "uuid-ossp" SCHEMA "Geo-x y"; CREATE EXTENSION postgis;
      CREATE EXTENSION postgis_topology; GRANT ALL ON SCHEMA topology TO ${account.user}; GRANT ALL ON ALL TABLES IN SCHEMA topology TO ${account.user}`)
    await source.execute(
      `CREATE TABLE spots (g geometry(Point, 4326), u uuid DEFAULT "Geo-x y".uuid_generate_v4())`,
    )
    const { bytes } = await dumpBytes(connectorSettings(source.connection), pgDumpGis)
    const target = kept(await account.empty(false))
    for (let round = 0; round < 2; round++) {
      const { warnings } = await restore(pgDumpGis, target, bytes, {}, admin)
      // On what belongs to an extension only its owner grants: said, and the rest is restored.
      expect(warnings).toEqual([
        expect.stringMatching(
          /^privileges on what belongs to extensions were not restored.*: SCHEMA topology, TABLE layer \(topology\), TABLE topology \(topology\)$/u,
        ),
      ])
      expect(await target.pgDump('--no-privileges')).toBe(await source.pgDump('--no-privileges'))
    }
    const elsewhere = kept(await account.empty(true))
    await elsewhere.executeAsAdmin('CREATE EXTENSION "uuid-ossp"')
    await expect(restore(pgDumpGis, elsewhere, bytes, {}, admin)).rejects.toMatchObject({
      code: 'database.requirement-missing',
      message: expect.stringContaining(
        `has the extension uuid-ossp in the schema public, and the dump wants it in ${schema}`,
      ) as string,
    })
  })
})
