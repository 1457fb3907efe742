import { z } from 'zod'
import { fingerprintLevels } from '../engine/fingerprinter.js'
import type { RetentionPolicy } from '../retention/policy.js'
import type { HookConfig, HookPolicy, HookWithSettings } from '../hooks/handlers.js'
import { restoreStrategies } from '../engine/swapper.js'
import { HoldfastError } from '../errors.js'
import type {
  ConnectionConfig,
  DatabaseConfig,
  DevServerConfig,
  EncryptConfig,
  FilesConfig,
  HoldfastConfig,
  PortableConfig,
  SignConfig,
} from './config.js'
import type { TableRules } from '../portable/table-rules.js'
import { notify } from './notify-schema.js'
import { mask, models, subset } from './portable-schema.js'
import { strict } from './strict.js'

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** Whether the value is an object with these methods; objects of the user's own are checked no further. */
function hasMethods(...methods: readonly string[]) {
  return (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    methods.every((name) => isFunction(Reflect.get(value, name)))
}

/** A definition that was not handed to `defineConnector` is none yet. */
function isConnector(value: unknown): boolean {
  return hasMethods('create')(value) && typeof Reflect.get(Object(value), 'capabilities') === 'object'
}

const text = z.string()
const filledText = z.string().min(1, 'is empty')
const texts = z.array(filledText)
const command = z.union([filledText, texts.min(1, 'is empty')])
const words = z.union([text, texts])
const secret = z.union([text, z.custom(hasMethods('reveal'), 'expected a text or a Secret')])
const callback = z.custom(isFunction, 'expected a function')
const template = z.union([filledText, z.custom(isFunction, 'expected a text or a function')])
const variables = z.record(text, text)
const connector = z.union([
  filledText,
  z.custom(isConnector, 'expected the name of a connector, or one made by defineConnector'),
])
const count = z.int().min(0)
const fingerprint = z.enum(fingerprintLevels)

const retention = strict({
  last: count.optional(),
  hourly: count.optional(),
  daily: count.optional(),
  weekly: count.optional(),
  monthly: count.optional(),
  yearly: count.optional(),
  within: filledText.optional(),
  keep: callback.optional(),
  timeZone: filledText.optional(),
} satisfies Record<keyof Required<RetentionPolicy>, z.ZodType>)

const connectionShape = {
  url: filledText.optional(),
  engine: filledText.optional(),
  host: filledText.optional(),
  port: z.int().min(1).max(65_535).optional(),
  user: filledText.optional(),
  password: secret.optional(),
  name: filledText.optional(),
  socket: filledText.optional(),
  parameters: variables.optional(),
  authSource: filledText.optional(),
} satisfies Record<keyof Required<ConnectionConfig>, z.ZodType>

const database = strict({
  ...connectionShape,
  backup: strict(connectionShape).optional(),
  connector: connector.optional(),
  singleTransaction: z.boolean().optional(),
  drop: z.boolean().optional(),
  ifExists: z.boolean().optional(),
  noOwner: z.boolean().optional(),
  noPrivileges: z.boolean().optional(),
  toolArgs: words.optional(),
  jobs: z.int().min(1).max(256).optional(),
  exclude: texts.optional(),
  excludeData: texts.optional(),
  schemas: texts.optional(),
  storages: texts.min(1, 'is empty').optional(),
  extension: filledText.optional(),
  filename: template.optional(),
  retention: retention.optional(),
  fingerprint: fingerprint.optional(),
  protected: z.boolean().optional(),
  safetyBackup: z.boolean().optional(),
  strategy: z.enum(restoreStrategies).optional(),
  alsoPortable: z.boolean().optional(),
  objcheck: z.boolean().optional(),
  adminUser: filledText.optional(),
  adminPassword: secret.optional(),
  dumpCommand: command.optional(),
  restoreCommand: command.optional(),
  psqlCommand: command.optional(),
  dumpPrefix: words.optional(),
  dumpSuffix: words.optional(),
  restorePrefix: words.optional(),
  restoreSuffix: words.optional(),
  env: variables.optional(),
  dumpEnv: variables.optional(),
  restoreEnv: variables.optional(),
  inheritEnv: z.boolean().optional(),
} satisfies Record<keyof Required<DatabaseConfig>, z.ZodType>)

const files = strict({
  source: z.union([filledText, strict({ storage: filledText })]),
  include: texts.optional(),
  exclude: texts.optional(),
  storages: texts.min(1, 'is empty').optional(),
  filename: template.optional(),
  retention: retention.optional(),
} satisfies Record<keyof Required<FilesConfig>, z.ZodType>)

const action = z.custom(
  (value) => isFunction(value) || (typeof value === 'string' && value !== ''),
  'expected a function or a command',
)
const policies = ['fail', 'report', 'ignore'] as const satisfies readonly HookPolicy[]
const hook = strict({
  run: action,
  onError: z.enum(policies).optional(),
  timeoutMs: z.int().min(1).optional(),
} satisfies Record<keyof Required<HookWithSettings<'afterBackup'>>, z.ZodType>)
const handlers = z.union([action, hook, z.array(z.union([action, hook]))])
const hooks = strict({
  beforeBackup: handlers.optional(),
  afterBackup: handlers.optional(),
  beforeRestore: handlers.optional(),
  afterRestore: handlers.optional(),
  beforeFilesBackup: handlers.optional(),
  afterFilesBackup: handlers.optional(),
  beforeFilesRestore: handlers.optional(),
  afterFilesRestore: handlers.optional(),
  beforePrune: handlers.optional(),
  afterPrune: handlers.optional(),
  afterVerify: handlers.optional(),
  onFailure: handlers.optional(),
  onProgress: handlers.optional(),
} satisfies Record<keyof Required<HookConfig>, z.ZodType>)

const encrypt = strict({
  age: strict({ recipients: texts.optional(), passphrase: secret.optional() }).optional(),
  openpgp: strict({ recipients: texts.min(1, 'is empty'), alwaysTrust: z.boolean().optional() }).optional(),
} satisfies Record<keyof Required<EncryptConfig>, z.ZodType>)

const sign = strict({
  key: secret.optional(),
  passphrase: secret.optional(),
  publicKeys: texts.optional(),
} satisfies Record<keyof Required<SignConfig>, z.ZodType>)

const portable = strict({
  groups: z.record(filledText, texts).optional(),
  tables: z
    .record(
      filledText,
      strict({
        rename: z.record(filledText, filledText).optional(),
        drop: texts.optional(),
        cast: z.record(filledText, z.enum(['error', 'warn', 'allow'])).optional(),
        default: z.record(filledText, z.union([z.array(z.unknown()).min(2).max(3), callback])).optional(),
        row: callback.optional(),
        into: filledText.optional(),
      } satisfies Record<keyof Required<TableRules>, z.ZodType>),
    )
    .optional(),
  hooks: z.record(filledText, callback).optional(),
} satisfies Record<keyof Required<PortableConfig>, z.ZodType>)
const devServerDriver = z.custom(
  hasMethods('find', 'ask', 'url'),
  'expected settings, or a driver made by defineDevServer',
)
const devServer = strict({
  driver: devServerDriver.optional(),
  programs: filledText.optional(),
  port: z.int().min(1).max(65_535).optional(),
  user: filledText.optional(),
  password: secret.optional(),
  database: filledText.optional(),
  serverArgs: texts.optional(),
  readyTimeoutMs: z.int().min(1).optional(),
  guide: filledText.optional(),
} satisfies Record<keyof Required<DevServerConfig>, z.ZodType>)

const configSchema = strict({
  databases: z.record(filledText, z.union([filledText, database])).optional(),
  // The driver checks its own settings.
  storages: z
    .record(
      filledText,
      z.union([filledText, z.looseObject({ driver: filledText, retention: retention.optional() })]),
    )
    .optional(),
  files: z.record(filledText, z.union([filledText, files])).optional(),
  compress: filledText.optional(),
  maxRate: filledText.optional(),
  memoryLimit: filledText.optional(),
  encrypt: z.union([z.literal(false), encrypt]).optional(),
  sign: sign.optional(),
  retention: retention.optional(),
  fingerprint: fingerprint.optional(),
  alsoPortable: z.boolean().optional(),
  serverName: filledText.optional(),
  filename: template.optional(),
  dateFormat: filledText.optional(),
  hooks: hooks.optional(),
  notify: notify.optional(),
  mask: mask.optional(),
  subset: subset.optional(),
  models: models.optional(),
  metricsFile: filledText.optional(),
  metadata: callback.optional(),
  validateRestore: callback.optional(),
  connectors: z.record(filledText, connector).optional(),
  portable: portable.optional(),
  devServers: z.record(filledText, z.union([devServerDriver, devServer])).optional(),
  engines: z.array(z.custom(hasMethods('parse', 'open'), 'expected an engine')).optional(),
  storageDrivers: z.array(z.custom(hasMethods('open'), 'expected a storage driver')).optional(),
} satisfies Record<keyof Required<HoldfastConfig>, z.ZodType>)

interface Problem {
  readonly text: string
  readonly unknownKey: boolean
}

/**
 * Checks the shape of a configuration and names everything that is wrong with it at once.
 * @param source what it came from, for the message: the file's name
 * @throws config.unknown-key where unknown keys are all that is wrong; config.invalid
 */
export function checkedConfig(config: unknown, source: string): HoldfastConfig {
  const parsed = configSchema.safeParse(config)
  // The configuration itself, and not a copy: the user's connectors and functions may hold on to it.
  if (parsed.success) return config as HoldfastConfig
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, []))
  const issues = problems.map((problem) => problem.text)
  const message =
    issues.length === 1
      ? `${source}: ${issues.join('')}`
      : `${source} has ${issues.length} problems:\n${issues.map((issue) => `  ${issue}`).join('\n')}`
  const code = problems.every(({ unknownKey }) => unknownKey) ? 'config.unknown-key' : 'config.invalid'
  throw new HoldfastError(code, message, { details: { issues } })
}

function problemsOf(issue: z.core.$ZodIssue, parents: readonly PropertyKey[]): readonly Problem[] {
  const path = [...parents, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    const prefix = path.length === 0 ? '' : `${path.join('.')}.`
    return issue.message.split('\n').map((line) => ({ text: `${prefix}${line}`, unknownKey: true }))
  }
  // A union told apart by a word has no alternatives where the word is none of them.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The alternative that fits best is the one of the value's own type: what is wrong lies inside it.
    const meant = issue.errors.find((errors) =>
      errors.every(
        (each) =>
          each.path.length > 0 ||
          (each.code !== 'invalid_type' && each.code !== 'custom' && each.code !== 'invalid_value'),
      ),
    )
    if (meant !== undefined && meant.length > 0) return meant.flatMap((each) => problemsOf(each, path))
    return [{ text: `${path.join('.')}: ${alternatives(issue.errors)}`, unknownKey: false }]
  }
  const place = path.length === 0 ? 'the configuration' : path.join('.')
  return [{ text: `${place}: ${plain(issue)}`, unknownKey: false }]
}

function alternatives(errors: readonly (readonly z.core.$ZodIssue[])[]): string {
  return [...new Set(errors.flat().map(plain))].join(', or ')
}

function plain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    const expected =
      issue.expected === 'string' ? 'a text' : issue.expected === 'record' ? 'object' : issue.expected
    return `expected ${expected}`
  }
  return issue.message.replace(/^Invalid (input|option): /u, '').replace(/^Too (big|small): /u, '')
}
