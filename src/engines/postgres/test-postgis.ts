import { randomBytes } from 'node:crypto'
import type { ServerAddress } from '../../../test/servers/server.js'
import type { ConnectorSettings } from '../../engine/connector.js'
import type { ConnectionSettings } from '../../engine/engine.js'
import { Secret } from '../../env/secret.js'
import { identifier } from './quoting.js'
import { execute, TestDatabase } from './test-fixture.js'

/** For tests only: databases with PostGIS that belong to an ordinary user. */

/** An ordinary user, who may log in and nothing else, and a database with PostGIS to copy, made once for many tests. */
export class PostgisAccount {
  readonly server: ServerAddress
  readonly user = `gis_${randomBytes(4).toString('hex')}`
  readonly password = new Secret(randomBytes(8).toString('hex'))
  readonly #template: TestDatabase

  constructor(server: ServerAddress) {
    this.server = server
    this.#template = new TestDatabase(server)
  }

  get admin(): NonNullable<ConnectorSettings['admin']> {
    return { user: this.server.user, password: new Secret(this.server.password) }
  }

  async make(): Promise<void> {
    await execute(
      this.server,
      'postgres',
      `CREATE ROLE ${this.user} LOGIN PASSWORD '${this.password.reveal()}'`,
    )
    await this.#template.make(`OWNER ${this.user}`)
    await this.#template.execute('CREATE EXTENSION postgis')
  }

  /** A database that is yet to be made. */
  database(): OrdinaryDatabase {
    return new OrdinaryDatabase(this)
  }

  /** An empty database of the user's, with PostGIS or without. */
  async empty(postgis: boolean): Promise<OrdinaryDatabase> {
    const options = `OWNER ${this.user}${postgis ? ` TEMPLATE ${identifier(this.#template.name)}` : ''}`
    return this.database().make(options)
  }

  async drop(): Promise<void> {
    await this.#template.drop()
    await execute(this.server, 'postgres', `DROP ROLE ${this.user}`)
  }
}

/** Connectors and statements use it as the ordinary user; what only looks into it does so as the superuser. */
export class OrdinaryDatabase extends TestDatabase {
  readonly #account: PostgisAccount

  constructor(account: PostgisAccount) {
    super(account.server)
    this.#account = account
  }

  override get connection(): ConnectionSettings {
    const { user, password } = this.#account
    return { ...super.connection, user, password }
  }

  override async execute(sql: string): Promise<void> {
    await super.execute(`SET ROLE ${this.#account.user}; ${sql}`)
  }

  /** What only the owner of the extension may do. */
  async executeAsAdmin(sql: string): Promise<void> {
    await super.execute(sql)
  }
}

/** Every kind of column and index that PostGIS gives. */
export const placesSql = `
  CREATE TABLE places (id int PRIMARY KEY, point geometry(Point, 4326), line geography(LineString), shape geometry(MultiPolygonZM, 3857),
    anything geometry, own geometry(Point, 990001), box box2d, solid box3d);
  CREATE INDEX places_point ON places USING gist (point);
  CREATE INDEX places_nd ON places USING gist (shape gist_geometry_ops_nd);
  CREATE INDEX places_brin ON places USING brin (point);
  CREATE INDEX places_spgist ON places USING spgist (point);
  CREATE INDEX places_line ON places USING gist (line);
  INSERT INTO places
    SELECT i, ST_SetSRID(ST_MakePoint(i / 100.0, -i / 200.0), 4326), ST_GeogFromText('LINESTRING(0 0, ' || i % 180 || ' 1)'),
      ST_GeomFromEWKT('SRID=3857;MULTIPOLYGON ZM (((0 0 1 2,' || i || ' 0 1 2,1 1 1 2,0 0 1 2)))'),
      (ARRAY['POINT EMPTY', 'GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1e300 -1e-300))', 'CIRCULARSTRING(0 0,1 1,2 0)'])[i % 3 + 1]::geometry,
      ST_SetSRID(ST_MakePoint(i, i), 990001), 'BOX(0 0,1 1)', 'BOX3D(0 0 0,1 1 1)'
    FROM generate_series(1, 200) i;
  INSERT INTO places (id) VALUES (0);
  CREATE VIEW near AS SELECT id FROM places WHERE ST_DWithin(point, ST_SetSRID(ST_MakePoint(0, 0), 4326), 1);
  CREATE MATERIALIZED VIEW hulls AS SELECT ST_ConvexHull(ST_Collect(point)) AS hull FROM places;`

export const ownReferenceSystem = `
  INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text)
  VALUES (990001, 'own "one"', 1, 'LOCAL_CS["☃"]', '+proj=longlat +datum=WGS84 +no_defs')`
