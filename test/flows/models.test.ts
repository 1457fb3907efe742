import 'reflect-metadata'
import { EntitySchema as MikroEntity, MikroORM, type EntityClass } from '@mikro-orm/postgresql'
import { getDMMF } from '@prisma/get-dmmf'
import { is } from 'drizzle-orm'
import { getTableConfig, integer, pgTable, PgTable, text, timestamp } from 'drizzle-orm/pg-core'
import mongoose from 'mongoose'
import { DataTypes, Sequelize } from 'sequelize'
import { DataSource, EntitySchema } from 'typeorm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TableHeader } from '../../src/engine/table-header.js'
import { postgresql as postgresqlEngine } from '../../src/engines/postgres/engine.js'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { HoldfastError } from '../../src/errors.js'
import type { ModelFacts } from '../../src/portable/model-facts.js'
import { drizzleModels } from '../../src/portable/models/drizzle.js'
import { mikroOrmModels } from '../../src/portable/models/mikro-orm.js'
import { modelGroups } from '../../src/portable/models/model-groups.js'
import { readModels, type ModelSource } from '../../src/portable/models/model-source.js'
import { mongooseModels } from '../../src/portable/models/mongoose.js'
import { prismaModels } from '../../src/portable/models/prisma.js'
import { sequelizeModels } from '../../src/portable/models/sequelize.js'
import { typeormModels } from '../../src/portable/models/typeorm.js'
import { needsServer } from '../servers/needs.js'

const cx = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const postgresql = needsServer('postgresql')

/** A schema of people and their tags, as one ORM declares it and makes it in a database of its own. */
interface Orm {
  readonly name: string
  /** Makes the tables, and gives the models. */
  open(database: TestDatabase): Promise<{ readonly models: ModelSource; close?(): Promise<unknown> }>
  readonly join: string
}

interface TypeormPerson {
  id: number
  email: string
  role: string
  token: string
  createdAt: Date
  version: number
  tags: object[]
}

const columnsSql = `CREATE TABLE people (id serial PRIMARY KEY, mail text NOT NULL, role text NOT NULL DEFAULT 'user', token text NOT NULL, created_at timestamptz NOT NULL);
  CREATE TABLE tags (id serial PRIMARY KEY)`
const joinSql = (name: string, one: string, other: string) =>
  `CREATE TABLE "${name}" ("${one}" int NOT NULL REFERENCES people, "${other}" int NOT NULL REFERENCES tags, PRIMARY KEY ("${one}", "${other}"))`

const orms: readonly Orm[] = [
  {
    name: 'Drizzle',
    join: 'people_tags',
    async open(database) {
      await database.execute(columnsSql)
      await database.execute(joinSql('people_tags', 'person_id', 'tag_id'))
      const people = pgTable('people', {
        id: integer().primaryKey(),
        email: text('mail').notNull(),
        role: text().notNull().default('user'),
        token: text()
          .notNull()
          .$defaultFn(() => 'made'),
        createdAt: timestamp('created_at')
          .notNull()
          .$defaultFn(() => new Date('2024-01-01T00:00:00Z')),
      })
      const tags = pgTable('tags', { id: integer().primaryKey() })
      const isTable = (value: unknown): value is PgTable => is(value, PgTable)
      return {
        models: drizzleModels({
          schema: { shop: { people, tags, other: 'no table' } },
          getTableConfig,
          isTable,
        }),
      }
    },
  },
  {
    name: 'Prisma',
    join: '_PersonToTag',
    async open(database) {
      await database.execute(columnsSql)
      await database.execute(joinSql('_PersonToTag', 'A', 'B'))
      const datamodel = `datasource db {
  provider = "postgresql"
}
model Person {
  id        Int      @id @default(autoincrement())
  email     String   @map("mail")
  role      Role     @default(USER)
  token     String   @default(uuid())
  createdAt DateTime @default(now()) @map("created_at")
  tags      Tag[]
  @@map("people")
}
model Tag {
  id     Int @id @default(autoincrement())
  people Person[]
  @@map("tags")
}
enum Role {
  USER @map("user")
  ADMIN
}`
      return { models: prismaModels({ dmmf: () => getDMMF({ datamodel }), group: 'shop' }) }
    },
  },
  {
    name: 'TypeORM',
    join: 'people_tags',
    async open({ server, name }) {
      const dataSource = new DataSource({
        type: 'postgres',
        host: server.host,
        port: server.port,
        username: server.user,
        password: server.password,
        database: name,
        synchronize: true,
        entities: [
          new EntitySchema<TypeormPerson>({
            name: 'Person',
            tableName: 'people',
            columns: {
              id: { type: Number, primary: true, generated: true },
              email: { type: String, name: 'mail' },
              role: { type: String, default: 'user' },
              token: { type: 'uuid', generated: 'uuid' },
              createdAt: { type: 'timestamptz', name: 'created_at', createDate: true },
              version: { type: Number, version: true },
            },
            relations: { tags: { type: 'many-to-many', target: 'Tag', joinTable: { name: 'people_tags' } } },
          }),
          new EntitySchema({
            name: 'Tag',
            tableName: 'tags',
            columns: { id: { type: Number, primary: true, generated: true } },
          }),
        ],
      })
      await dataSource.initialize()
      return {
        models: typeormModels({ dataSource, group: (model) => (model === 'Tag' ? 'shop' : ['shop']) }),
        close: () => dataSource.destroy(),
      }
    },
  },
  {
    name: 'Sequelize',
    join: 'people_tags',
    async open({ server, name }) {
      const sequelize = new Sequelize(name, server.user, server.password, {
        dialect: 'postgres',
        host: server.host,
        port: server.port,
        logging: false,
      })
      const person = sequelize.define(
        'Person',
        {
          email: { type: DataTypes.STRING, field: 'mail' },
          role: { type: DataTypes.STRING, defaultValue: 'user' },
          token: { type: DataTypes.STRING, defaultValue: () => 'made' },
          code: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 },
          seen: { type: DataTypes.DATE, defaultValue: DataTypes.NOW },
          full: { type: DataTypes.VIRTUAL },
        },
        { tableName: 'people', underscored: true, updatedAt: false },
      )
      const tag = sequelize.define('Tag', {}, { tableName: 'tags', timestamps: false })
      person.belongsToMany(tag, { through: 'people_tags', timestamps: false })
      tag.belongsToMany(person, { through: 'people_tags', timestamps: false })
      await sequelize.sync()
      return { models: sequelizeModels({ sequelize, group: 'shop' }), close: () => sequelize.close() }
    },
  },
  {
    name: 'MikroORM',
    join: 'people_tags',
    async open({ server, name }) {
      const tag = new MikroEntity({
        name: 'Tag',
        tableName: 'tags',
        properties: { id: { type: 'number', primary: true } },
      })
      const person = new MikroEntity({
        name: 'Person',
        tableName: 'people',
        properties: {
          id: { type: 'number', primary: true },
          email: { type: 'string', fieldName: 'mail' },
          role: { type: 'string', default: 'user' },
          token: { type: 'string', onCreate: () => 'made' },
          createdAt: {
            type: 'Date',
            fieldName: 'created_at',
            onCreate: () => new Date('2024-01-01T00:00:00Z'),
          },
          tags: { kind: 'm:n', entity: 'Tag', pivotTable: 'people_tags' },
        },
      })
      const orm = await MikroORM.init({
        entities: [person, tag] as unknown as EntityClass<object>[],
        dbName: name,
        host: server.host,
        port: server.port,
        user: server.user,
        password: server.password,
      })
      await orm.schema.createSchema()
      return { models: mikroOrmModels({ orm: () => orm, group: 'shop' }), close: () => orm.close(true) }
    },
  },
]

async function catalogOf(database: TestDatabase): Promise<readonly TableHeader[]> {
  const source = await postgresqlEngine.rows?.openSource(cx, database.connection)
  if (source === undefined) throw new TypeError('no source')
  try {
    return await source.tables()
  } finally {
    await source.close()
  }
}

postgresql.describe('models and the tables that they describe', () => {
  for (const { name, join, open } of orms) {
    describe(name, () => {
      const database = () => new TestDatabase(postgresql.server(), `models_${name.toLowerCase()}`)
      let opened: Awaited<ReturnType<Orm['open']>> | undefined
      let facts: ModelFacts = { tables: new Map() }
      let tables: readonly TableHeader[] = []

      beforeAll(async () => {
        opened = await open(await database().make())
        facts = await readModels([opened.models])
        tables = await catalogOf(database())
      })
      afterAll(async () => {
        await opened?.close?.()
        await database().drop()
      })

      it('names tables and columns as the catalog does', () => {
        for (const [table, { defaults, renames }] of facts.tables) {
          const header = tables.find((each) => each.table.name === table)
          const columns = header?.columns.map((column) => column.name) ?? []
          expect(columns).toEqual(expect.arrayContaining([...Object.keys(defaults), ...Object.keys(renames)]))
        }
      })

      it('knows defaults that the database does not, and what columns are called in the application', () => {
        const people = facts.tables.get('people')
        if (people === undefined) throw new TypeError('no model of people')
        const { defaults, renames } = people
        expect(defaults['role']).toMatchObject({ kind: 'value', value: 'user' })
        const token = defaults['token']
        expect(typeof token === 'function' ? token() : token?.kind).toMatch(/^(?:made|uuid)$/u)
        const created = defaults['created_at']
        expect(typeof created === 'function' ? created() : created).toEqual(
          typeof created === 'function'
            ? '2024-01-01T00:00:00.000Z'
            : { kind: 'datetime', value: 'now', on: ['missing'] },
        )
        expect(renames).toMatchObject({ mail: 'email' })
        expect(defaults['id']).toBeUndefined()
      })

      it('puts the join table into the group of what it joins', () => {
        const groups = modelGroups(facts, tables)
        expect(groups.get(`public.${join}`)).toEqual(['shop'])
        expect(groups.get('public.people')).toEqual(['shop'])
      })
    })
  }
})

describe('Mongoose', () => {
  it('knows the defaults and aliases of a schema', async () => {
    const schema = new mongoose.Schema(
      {
        n: { type: String, alias: 'name' },
        role: { type: String, default: 'user' },
        at: { type: Date, default: Date.now },
        list: { type: [String], default: () => ['a'] },
        address: { city: { type: String, default: 'x' } },
      },
      { timestamps: { updatedAt: 'changed' }, collection: 'people' },
    )
    const { models } = mongoose.createConnection()
    const person = mongoose.model('Person', schema)
    const facts = await readModels([mongooseModels({ mongoose, group: 'shop' })])
    const people = facts.tables.get('people')
    expect(Object.keys(models)).toEqual([])
    const made = new person().toObject()
    const { at, list, ...rest } = people?.defaults ?? {}
    expect(rest).toMatchObject({
      role: { kind: 'value', value: made.role },
      createdAt: { kind: 'datetime' },
      changed: { kind: 'datetime' },
    })
    expect(typeof list === 'function' ? list() : list).toEqual(made.list)
    expect(typeof at === 'function' ? at() : at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/u)
    expect([people?.renames, people?.groups]).toEqual([{ n: 'name' }, ['shop']])
    expect(Object.keys(rest)).not.toContain('address.city')
  })
})

describe('models that cannot be read', () => {
  it('are an error that names them', async () => {
    const refused = async (source: ModelSource) => {
      const error: unknown = await readModels([source]).catch((thrown: unknown) => thrown)
      return error instanceof HoldfastError ? `${error.code} ${error.message}` : String(error)
    }
    const broken = prismaModels({ dmmf: () => getDMMF({ datamodel: 'model Person {' }) })
    expect(await refused(broken)).toBe('config.invalid models: prisma gives no datamodel')
    const down = typeormModels({ dataSource: () => Promise.reject(new Error('no such host')) })
    expect(await refused(down)).toBe('config.invalid models: those of typeorm cannot be read: no such host')
  })
})
