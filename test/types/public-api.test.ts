import { expect, expectTypeOf, it } from 'vitest'
import {
  createHoldfast,
  defineConfig,
  env,
  errorTable,
  HoldfastError,
  Secret,
  type BackupResult,
  type ErrorCode,
  type Holdfast,
  type HoldfastConfig,
  type HookName,
  type Manifest,
  type Outcome,
  type RestorePlan,
} from '../../src/index.js'
import * as holdfast from '../../src/index.js'

// The types are checked by `npm run typecheck`; here they only have to load.

it('a configuration is typed', () => {
  expectTypeOf(defineConfig).returns.toEqualTypeOf<HoldfastConfig>()
  expectTypeOf<HoldfastConfig['compress']>().toEqualTypeOf<string | undefined>()
  defineConfig({
    databases: { shop: { url: 'postgres://localhost/shop', exclude: ['sessions'] } },
    hooks: {
      afterBackup: (event) => {
        expectTypeOf(event.manifest).toEqualTypeOf<Manifest>()
        expectTypeOf(event.filename).toBeString()
      },
      beforeRestore: [(event) => void expectTypeOf(event.databaseName).toBeString()],
    },
    validateRestore: (manifest) => void expectTypeOf(manifest).toEqualTypeOf<Manifest>(),
  })
  expectTypeOf<{ databses: object }>().not.toExtend<HoldfastConfig>()
  expectTypeOf(env).toEqualTypeOf<(name: string) => string>()
})

it('the argument of a handler is known from the name of its event', () => {
  const register = (hf: Holdfast) => {
    hf.on('beforeBackup', (event) => {
      expectTypeOf(event.connector).toBeString()
      expectTypeOf(event).not.toHaveProperty('manifest')
    })
    hf.once('afterBackup', (event) => void expectTypeOf(event.manifest).toEqualTypeOf<Manifest>())
  }
  expect(register).toBeTypeOf('function')
  expectTypeOf<'beforeLunch'>().not.toExtend<HookName>()
})

it('an outcome is a result or an error', () => {
  expectTypeOf(createHoldfast).returns.resolves.toEqualTypeOf<Holdfast>()
  expectTypeOf<Awaited<ReturnType<Holdfast['backup']>>>().toEqualTypeOf<readonly Outcome<BackupResult>[]>()
  const narrow = (outcome: Outcome<BackupResult>) => {
    if (outcome.ok) expectTypeOf(outcome.result).toEqualTypeOf<BackupResult>()
    else expectTypeOf(outcome.error.code).toEqualTypeOf<ErrorCode>()
  }
  expect(narrow).toBeTypeOf('function')
})

it('a confirmation sees the plan', () => {
  expectTypeOf<Holdfast['restore']>().toBeCallableWith({
    confirm: (plan: RestorePlan) => plan.losses.length === 0,
  })
})

it('the values of the public interface are these', () => {
  expect(Object.keys(holdfast).sort()).toEqual(
    [
      'Holdfast',
      'HoldfastError',
      'Secret',
      'compareKeys',
      'createHoldfast',
      'defineCommandConnector',
      'defineConfig',
      'defineConnector',
      'defineDevServer',
      'defineStorage',
      'drizzleModels',
      'env',
      'errorTable',
      'isObjectKey',
      'mask',
      'mikroOrmModels',
      'mongooseModels',
      'objectKey',
      'prismaModels',
      'sequelizeModels',
      'sqliteHandle',
      'typeormModels',
    ].sort(),
  )
  expect(new HoldfastError('usage.invalid', 'x').exit).toBe(errorTable['usage.invalid'].exit)
  expect(String(new Secret('x'))).toBe('***')
})
