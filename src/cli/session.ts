import { scalarOptions, type Overrides } from '../config/options.js'
import { readVariable } from '../config/variable.js'
import type { Holdfast } from '../holdfast.js'
import type { CommandLine } from './command.js'
import { keyRing, type KeyFlags } from './keys.js'
import { askPassphrase } from './prompt.js'

/** The flags that take part in the precedence of settings. */
export interface SettingFlags {
  readonly storage?: string
  readonly compress?: string
}

/** The one storage to use, where a flag or `HOLDFAST_STORAGE` names it. */
export interface Where {
  readonly storage?: string
}

/**
 * Loads the configuration, makes a Holdfast of it, and closes it when the work is done. What is heavy is loaded here, so that
 * help and version need none of it.
 * @throws config.*, usage.*
 */
export async function withHoldfast(
  cli: CommandLine,
  flags: SettingFlags & KeyFlags,
  work: (hf: Holdfast, where: Where) => Promise<void>,
): Promise<void> {
  const [{ loadConfigFile, shownPath }, { checkedConfig }, { createHoldfast }] = await Promise.all([
    import('../config/load.js'),
    import('../config/schema.js'),
    import('../holdfast.js'),
  ])
  const { env, globals, reporter } = cli
  const loaded = await loadConfigFile(env, {
    ...(globals.config === undefined ? {} : { configFile: globals.config }),
    holdfast: () => import('../index.js'),
  })
  const { file, baseDirectory } = loaded
  const config = checkedConfig(loaded.config, file === undefined ? 'the configuration' : shownPath(env, file))
  const hf = await createHoldfast(config, {
    env,
    baseDirectory,
    ...(file === undefined ? {} : { file }),
    overrides: overridesOf(flags),
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
  const storage = flags.storage ?? readVariable(env.variables, scalarOptions.storage.variable)?.value
  return storage === undefined ? {} : { storage }
}

function overridesOf({ storage, compress }: SettingFlags): Overrides {
  return {
    ...(storage === undefined ? {} : { storage: { value: storage, origin: '--storage' } }),
    ...(compress === undefined ? {} : { compress: { value: compress, origin: '--compress' } }),
  }
}

/** A password in a URL on the command line can be seen by other users of the machine, in its list of processes. */
export function warnOfPasswords(cli: CommandLine, urls: readonly (string | undefined)[]): void {
  if (urls.some((url) => url !== undefined && /^[a-z][a-z0-9+.-]*:\/\/[^/@]*:[^@]+@/iu.test(url))) {
    cli.reporter.warn(
      'other users of this machine can see a password in a URL on the command line; a configuration or DATABASE_URL hides it',
    )
  }
}
