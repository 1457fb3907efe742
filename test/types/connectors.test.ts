import { createReadStream } from 'node:fs'
import { expect, expectTypeOf, it } from 'vitest'
import {
  defineCommandConnector,
  defineConfig,
  defineConnector,
  type Command,
  type CommandConnectorDefinition,
  type ConnectorDefinition,
  type ConnectorFactory,
  type DatabaseConfig,
  type DatabaseToDump,
  type Secret,
} from '../../src/index.js'

// The types are checked by `npm run typecheck`; here they only have to load.

const description = { name: 'lines', engine: 'jsonl', extension: 'jsonl' } as const

it('what a definition is told is typed', () => {
  const lines = defineConnector({
    ...description,
    dump: (database, cx) => {
      expectTypeOf(database).toEqualTypeOf<DatabaseToDump>()
      expectTypeOf(database.connection.password).toEqualTypeOf<Secret | undefined>()
      expectTypeOf(cx.signal).toEqualTypeOf<AbortSignal>()
      return createReadStream(database.connection.name)
    },
    restore: async ({ clean }, dump) => {
      expectTypeOf(clean).toEqualTypeOf<'none' | 'objects' | 'database'>()
      for await (const _chunk of dump);
    },
  })
  expectTypeOf(lines).toEqualTypeOf<ConnectorFactory>()
  defineConfig({
    connectors: { jsonl: lines },
    databases: { people: { url: 'jsonl:./people.jsonl', connector: lines } },
  })
  expect(lines.name).toBe('lines')
})

it('a command is words, and never a line for a shell', () => {
  expectTypeOf<string>().not.toExtend<Command>()
  expectTypeOf<[]>().not.toExtend<Command>()
  expectTypeOf<['sqlite3', 'a.db', '.dump']>().toExtend<Command>()
  expectTypeOf<{ command: ['tool']; env: { PASSWORD: Secret | undefined } }>().toExtend<Command>()
  const tool = defineCommandConnector({
    ...description,
    dump: ({ connection }) => ['cat', connection.name],
    restore: ({ connection }) => ({
      command: ['tee', connection.name],
      env: { PASSWORD: connection.password },
    }),
  })
  expectTypeOf(tool).toEqualTypeOf<ConnectorFactory>()
  expect(tool.engine).toBe('jsonl')
})

it('mistakes are seen in the editor', () => {
  type Dump = ConnectorDefinition['dump']
  expectTypeOf<() => string>().not.toExtend<Dump>()
  expectTypeOf<() => number[]>().not.toExtend<Dump>()
  expectTypeOf<Omit<ConnectorDefinition, 'restore'>>().not.toExtend<ConnectorDefinition>()
  expectTypeOf<Omit<CommandConnectorDefinition, 'dump'>>().not.toExtend<CommandConnectorDefinition>()
  // A definition that was not handed to defineConnector is no connector.
  expectTypeOf<ConnectorDefinition>().not.toExtend<DatabaseConfig['connector']>()
  expectTypeOf<'exclde'>().not.toExtend<keyof ConnectorDefinition>()
  expect(defineConnector).toBeTypeOf('function')
})
