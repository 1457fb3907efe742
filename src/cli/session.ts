import { scalarOptions, type Overrides } from '../config/options.js'
import { storageName } from '../config/storage-name.js'
import { readVariable } from '../config/variable.js'
import type { Holdfast } from '../holdfast.js'
import type { CommandLine } from './command.js'
import { MissingVariables } from './missing-variables.js'
import { keyRing, type KeyFlags } from './keys.js'
import { askPassphrase } from './prompt.js'

/** The flags that take part in the precedence of settings. */
export interface SettingFlags {
  /** Several where the command goes to several. */
  readonly storage?: string | readonly string[]
  readonly compress?: string
  readonly maxRate?: string
  readonly memoryLimit?: string
  readonly metricsFile?: string
}

/** The one storage to use, where a flag or `HOLDFAST_STORAGE` names it; several are the configuration's to know. */
export interface Where {
  readonly storage?: string
}

/**
 * Loads the configuration, makes a Holdfast of it, and closes it when the work is done. What is heavy is loaded here, so that
 * help and version need none of it.
 * @param options.databases false for a command that works without any; see {@link MissingVariables}
 * @throws config.*, usage.*
 */
export async function withHoldfast(
  cli: CommandLine,
  flags: SettingFlags & KeyFlags,
  work: (hf: Holdfast, where: Where) => Promise<void>,
  { databases = true }: { readonly databases?: boolean } = {},
): Promise<void> {
  const [{ loadConfigFile, shownPath }, { checkedConfig }, { createHoldfast }] = await Promise.all([
    import('../config/load.js'),
    import('../config/schema.js'),
    import('../holdfast.js'),
  ])
  const { env, globals, reporter } = cli
  warnOfPasswords(cli, storagesOf(flags))
  const missing = new MissingVariables()
  const loaded = await loadConfigFile(env, {
    ...(globals.config === undefined ? {} : { configFile: globals.config }),
    holdfast: async () => ({
      ...(await import('../index.js')),
      ...(databases ? {} : { env: missing.env }),
    }),
  })
  const { file, baseDirectory } = loaded
  const config = missing.without(
    checkedConfig(loaded.config, file === undefined ? 'the configuration' : shownPath(env, file)),
    (message) => reporter.warn(message),
  )
  const hf = await createHoldfast(config, {
    env,
    baseDirectory,
    ...(file === undefined ? {} : { file }),
    overrides: overridesOf(flags),
    commandLine: true,
    emit: reporter.event,
    keys: keyRing(env, flags, () => askPassphrase(cli)),
  })
  try {
    await work(hf, whereOf(cli, flags))
  } finally {
    await hf.close()
  }
}

function whereOf({ env }: CommandLine, flags: SettingFlags): Where {
  const named = storagesOf(flags)
  if (named.length > 1) return {}
  const storage = named[0] ?? readVariable(env.variables, scalarOptions.storage.variable)?.value
  return storage === undefined ? {} : { storage: storageName(storage) }
}

function overridesOf(flags: SettingFlags): Overrides {
  const { compress, maxRate, memoryLimit, metricsFile } = flags
  const storages = storagesOf(flags).map((value) => ({ value, origin: '--storage' }))
  return {
    ...(storages.length === 0 ? {} : { storages }),
    ...(compress === undefined ? {} : { compress: { value: compress, origin: '--compress' } }),
    ...(maxRate === undefined ? {} : { maxRate: { value: maxRate, origin: '--max-rate' } }),
    ...(memoryLimit === undefined ? {} : { memoryLimit: { value: memoryLimit, origin: '--memory-limit' } }),
    ...(metricsFile === undefined ? {} : { metricsFile: { value: metricsFile, origin: '--metrics-file' } }),
  }
}

function storagesOf({ storage = [] }: SettingFlags): readonly string[] {
  return typeof storage === 'string' ? [storage] : storage
}

/** A password in a URL on the command line can be seen by other users of the machine, in its list of processes. */
export function warnOfPasswords(cli: CommandLine, urls: readonly (string | undefined)[]): void {
  if (urls.some((url) => url !== undefined && /^[a-z][a-z0-9+.-]*:\/\/[^/@]*:[^@]+@/iu.test(url))) {
    cli.reporter.warn(
      'other users of this machine can see a password in a URL on the command line; a configuration or DATABASE_URL hides it',
    )
  }
}
