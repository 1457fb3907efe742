import {
  buildApplication,
  buildRouteMap,
  text_en,
  type Application,
  type ApplicationText,
} from '@stricli/core'
import type { CommandLine, DocumentedCommand } from './command.js'
import { backup } from './commands/backup.js'
import { completion } from './commands/completion.js'
import { config } from './commands/config.js'
import { copy } from './commands/copy.js'
import { devBackup } from './commands/dev/backup.js'
import { devBackups } from './commands/dev/backups.js'
import { devDestroy } from './commands/dev/destroy.js'
import { devDump } from './commands/dev/dump.js'
import { devEnv } from './commands/dev/env.js'
import { devGuide } from './commands/dev/guide.js'
import { devInit } from './commands/dev/init.js'
import { devList } from './commands/dev/list.js'
import { devLoad } from './commands/dev/load.js'
import { devLogs } from './commands/dev/logs.js'
import { devReinit } from './commands/dev/reinit.js'
import { devRestore } from './commands/dev/restore.js'
import { devRun } from './commands/dev/run.js'
import { devStart } from './commands/dev/start.js'
import { devStatus } from './commands/dev/status.js'
import { devStop } from './commands/dev/stop.js'
import { diff } from './commands/diff.js'
import { dump } from './commands/dump.js'
import { doctor } from './commands/doctor.js'
import { filesBackup } from './commands/files-backup.js'
import { filesList } from './commands/files-list.js'
import { filesRestore } from './commands/files-restore.js'
import { help } from './commands/help.js'
import { init } from './commands/init.js'
import { list } from './commands/list.js'
import { load } from './commands/load.js'
import { prune } from './commands/prune.js'
import { reseal } from './commands/reseal.js'
import { restore } from './commands/restore.js'
import { show } from './commands/show.js'
import { verify } from './commands/verify.js'
import { version } from './commands/version.js'

/** In the order in which help lists them. */
export const commands: readonly DocumentedCommand[] = [
  init,
  backup,
  restore,
  list,
  show,
  verify,
  diff,
  prune,
  filesBackup,
  filesRestore,
  filesList,
  dump,
  load,
  copy,
  reseal,
  devInit,
  devStart,
  devStop,
  devRun,
  devStatus,
  devList,
  devDestroy,
  devReinit,
  devBackup,
  devRestore,
  devBackups,
  devDump,
  devLoad,
  devGuide,
  devEnv,
  devLogs,
  doctor,
  config,
  completion,
  help(() => commands),
  version,
]

/**
 * @param failed told of everything that goes wrong: nothing is printed here
 */
export function application(failed: (error: unknown) => void): Application<CommandLine> {
  const routes = Object.fromEntries(commands.map(({ name, command }) => [name, command]))
  return buildApplication<CommandLine>(
    buildRouteMap<string, CommandLine>({ routes, docs: { brief: 'holdfast' } }),
    {
      name: 'holdfast',
      scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
      localization: { text: silentText(failed) },
    },
    {},
  )
}

/** The texts of the argument parser, each of which hands on the error it would have printed. */
function silentText(failed: (error: unknown) => void): ApplicationText {
  const hand = (error: unknown) => {
    failed(error)
    return ''
  }
  return {
    ...text_en,
    exceptionWhileParsingArguments: hand,
    exceptionWhileLoadingCommandFunction: hand,
    exceptionWhileLoadingCommandContext: hand,
    exceptionWhileRunningCommand: hand,
    commandErrorResult: hand,
  }
}
