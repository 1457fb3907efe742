/**
 * Every error Holdfast can give, in one table: what it means, the exit code of the command line, whether trying again may
 * help, and what to do. `docs/errors.md` is generated from it. Codes are stable under semver.
 */

interface ErrorEntry {
  /** The exit code of the command line. */
  readonly exit: number
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean
  readonly meaning: string
  readonly hint: string
}

export const errorTable = {
  'internal.unexpected': {
    exit: 1,
    retryable: false,
    meaning: 'something happened that Holdfast does not know',
    hint: 'this is a bug in Holdfast: please report it with the output of --verbose',
  },

  'usage.invalid': {
    exit: 2,
    retryable: false,
    meaning: 'an argument or option is not valid',
    hint: 'see holdfast help COMMAND',
  },
  'usage.unknown-database': {
    exit: 2,
    retryable: false,
    meaning: 'no database of that name is configured',
    hint: 'use one of the configured names, or a URL',
  },
  'usage.unknown-files': {
    exit: 2,
    retryable: false,
    meaning: 'no set of files of that name is configured',
    hint: 'use one of the configured names',
  },
  'usage.database-needed': {
    exit: 2,
    retryable: false,
    meaning: 'several databases are configured and the command needs one',
    hint: 'name it with --database',
  },
  'usage.unknown-storage': {
    exit: 2,
    retryable: false,
    meaning: 'no storage of that name is configured',
    hint: 'use one of the configured names',
  },
  'usage.not-supported': {
    exit: 2,
    retryable: false,
    meaning: 'the connector or engine cannot do what a setting asks',
    hint: 'leave the setting out, or choose another connector',
  },
  'usage.pattern-unmatched': {
    exit: 2,
    retryable: false,
    meaning: 'a pattern matches nothing',
    hint: 'correct the pattern',
  },
  'usage.backup-not-found': {
    exit: 2,
    retryable: false,
    meaning: 'no backup matches',
    hint: 'see holdfast list',
  },
  'usage.backup-ambiguous': {
    exit: 2,
    retryable: false,
    meaning: 'several backups match',
    hint: 'give more of the id',
  },
  'usage.nothing-kept': {
    exit: 2,
    retryable: false,
    meaning: 'there is no old database to bring back or to discard',
    hint: 'only a restore with --strategy swap keeps the old database',
  },
  'config.not-found': {
    exit: 2,
    retryable: false,
    meaning: 'there is no configuration file and no DATABASE_URL',
    hint: 'run holdfast init, set DATABASE_URL, or pass a URL',
  },
  'config.invalid': {
    exit: 2,
    retryable: false,
    meaning: 'the configuration has a value that is not valid',
    hint: 'correct the named setting',
  },
  'config.unknown-key': {
    exit: 2,
    retryable: false,
    meaning: 'the configuration has a key that Holdfast does not know',
    hint: 'correct the spelling, or remove the key',
  },
  'config.unreadable': {
    exit: 2,
    retryable: false,
    meaning: 'the configuration file cannot be read or run',
    hint: 'correct the file',
  },
  'config.missing-variable': {
    exit: 2,
    retryable: false,
    meaning: 'an environment variable that the configuration names is not set',
    hint: 'set the variable, or VARIABLE_FILE with the path of a file that holds the value',
  },
  'key.missing': {
    exit: 2,
    retryable: false,
    meaning: 'the backup is encrypted and no key was given',
    hint: 'pass --identity FILE or --passphrase-file FILE, or set HOLDFAST_IDENTITY_FILE or HOLDFAST_PASSPHRASE_FILE',
  },
  'key.invalid': {
    exit: 2,
    retryable: false,
    meaning: 'a recipient, identity or passphrase cannot be read',
    hint: 'correct the key',
  },

  'backup.partial': {
    exit: 3,
    retryable: true,
    meaning: 'some of the work was done and some failed',
    hint: 'see the errors above; what is listed as done is complete',
  },

  'database.unreachable': {
    exit: 4,
    retryable: true,
    meaning: 'the database server does not answer',
    hint: 'check host and port, and that the server runs',
  },
  'database.login-refused': {
    exit: 4,
    retryable: false,
    meaning: 'the database server refuses the user or the password',
    hint: 'check user and password',
  },
  'database.not-found': {
    exit: 4,
    retryable: false,
    meaning: 'the database does not exist',
    hint: 'check the name; for a restore, --create makes the database',
  },
  'database.denied': {
    exit: 4,
    retryable: false,
    meaning: 'the database user lacks a privilege',
    hint: 'grant the privilege, or use another user',
  },
  'database.busy': {
    exit: 4,
    retryable: true,
    meaning: 'other sessions use the database',
    hint: 'stop the application, or pass --disconnect',
  },
  'database.requirement-missing': {
    exit: 4,
    retryable: false,
    meaning: 'the server of the target lacks an extension or a role that the dump needs',
    hint: 'install the extension, create the role, or restore with noOwner and noPrivileges',
  },
  'database.corrupt': {
    exit: 4,
    retryable: false,
    meaning: 'the database itself is damaged',
    hint: 'restore the last backup that verifies',
  },
  'database.query-failed': {
    exit: 4,
    retryable: false,
    meaning: 'the database answered a query with an error',
    hint: 'see the message of the server',
  },

  'tool.missing': {
    exit: 5,
    retryable: false,
    meaning: 'a program that is needed is not installed',
    hint: 'install it, or set dumpCommand or restoreCommand to its path',
  },
  'tool.too-old': {
    exit: 5,
    retryable: false,
    meaning: 'a program is older than the server or the backup it has to work with',
    hint: 'install the version named',
  },
  'tool.failed': {
    exit: 5,
    retryable: false,
    meaning: 'a program ended with an error',
    hint: 'see its messages',
  },
  'tool.timeout': {
    exit: 5,
    retryable: true,
    meaning: 'a program did not end in time',
    hint: 'check what it waits for, or raise the timeout',
  },
  'tool.version-missing': {
    exit: 5,
    retryable: false,
    meaning: 'no server of the version that a backup is of is installed',
    hint: 'install that version, pass --newer to take the nearest newer one, or name a server with --server',
  },
  'connector.failed': {
    exit: 5,
    retryable: false,
    meaning: "a connector of the user's own threw an error",
    hint: 'see its message; --verbose shows where it was thrown',
  },

  'devserver.not-found': {
    exit: 2,
    retryable: false,
    meaning: 'there is no development server of that engine and name',
    hint: 'holdfast dev start makes it; holdfast dev list shows what is there',
  },
  'devserver.not-started': {
    exit: 5,
    retryable: true,
    meaning: 'a development server ended while it was starting, or did not answer in time',
    hint: 'see the end of its log; holdfast dev logs shows all of it',
  },
  'devserver.not-stopped': {
    exit: 5,
    retryable: true,
    meaning: 'a development server runs on after it was told to end',
    hint: 'see holdfast dev logs',
  },
  'devserver.port-taken': {
    exit: 5,
    retryable: true,
    meaning: 'another program listens on the port of a development server',
    hint: 'end that program, or choose another port with --port',
  },
  'devserver.other-version': {
    exit: 5,
    retryable: false,
    meaning: 'the data of a development server are of another version than the server that is installed',
    hint: 'install the version named, or make the data again with holdfast dev reinit',
  },
  'devserver.foreign-folder': {
    exit: 8,
    retryable: false,
    meaning: 'a folder was not made by holdfast dev, and is therefore neither used nor removed',
    hint: 'choose another --name, or move the folder away',
  },
  'devserver.no-access': {
    exit: 8,
    retryable: false,
    meaning: 'the account that is to run a development server cannot use its folder',
    hint: 'give the folder to that account',
  },

  'restore.incomplete': {
    exit: 5,
    retryable: true,
    meaning: 'a restore failed after the first change, on an engine that cannot undo it',
    hint: 'the target is not usable as it is: run the restore again',
  },

  'hook.failed': {
    exit: 3,
    retryable: false,
    meaning: 'a hook failed after the work was done',
    hint: 'see the message of the hook; what was done before it is complete',
  },

  'storage.unreachable': {
    exit: 6,
    retryable: true,
    meaning: 'the storage does not answer',
    hint: 'check its settings and the network',
  },
  'storage.login-refused': {
    exit: 6,
    retryable: false,
    meaning: 'the storage refuses the user, the password or the key',
    hint: 'check the credentials of the storage',
  },
  'storage.untrusted': {
    exit: 6,
    retryable: false,
    meaning: 'the server of the storage does not prove that it is the right one',
    hint: 'find out whether it is the right one before anything else',
  },
  'storage.not-found': {
    exit: 6,
    retryable: false,
    meaning: 'an object is not in the storage',
    hint: 'see holdfast list',
  },
  'storage.denied': {
    exit: 6,
    retryable: false,
    meaning: 'the storage refuses access',
    hint: 'check the permissions of the folder or account, and the credentials',
  },
  'storage.exists': {
    exit: 6,
    retryable: false,
    meaning: 'an object of that name is already there',
    hint: 'nothing was overwritten; choose another name',
  },
  'storage.full': {
    exit: 6,
    retryable: false,
    meaning: 'there is no space left',
    hint: 'free space, or choose another place',
  },
  'storage.unsafe-key': {
    exit: 6,
    retryable: false,
    meaning: 'an object name reaches outside the storage',
    hint: 'the manifest that names it is damaged or hostile',
  },
  'storage.failed': {
    exit: 6,
    retryable: true,
    meaning: 'the storage gave an error',
    hint: 'see the message',
  },
  'storage.busy': {
    exit: 6,
    retryable: true,
    meaning: 'the storage asks to slow down',
    hint: 'try again later, or less at once',
  },
  'storage.retained': {
    exit: 6,
    retryable: false,
    meaning: 'the storage protects an object from being deleted or replaced',
    hint: 'wait until the protection ends; nobody with these credentials can lift it',
  },

  'integrity.checksum': {
    exit: 7,
    retryable: false,
    meaning: 'bytes differ from what was written',
    hint: 'use another copy or another backup',
  },
  'integrity.truncated': {
    exit: 7,
    retryable: false,
    meaning: 'data end too early',
    hint: 'use another copy or another backup',
  },
  'integrity.format': {
    exit: 7,
    retryable: false,
    meaning: 'data do not have the structure they should have',
    hint: 'use another copy or another backup',
  },
  'integrity.missing-artifact': {
    exit: 7,
    retryable: false,
    meaning: 'an artifact that the manifest names is not there',
    hint: 'use another storage or another backup',
  },
  'integrity.empty': {
    exit: 7,
    retryable: false,
    meaning: 'a dump is empty',
    hint: 'an empty dump is never a backup: see the messages of the dump tool',
  },
  'integrity.manifest': {
    exit: 7,
    retryable: false,
    meaning: 'a manifest cannot be read',
    hint: 'the artifact may still be restored by its path',
  },
  'integrity.newer-format': {
    exit: 7,
    retryable: false,
    meaning: 'a backup was written by a newer version of Holdfast',
    hint: 'update Holdfast',
  },
  'integrity.wrong-key': {
    exit: 7,
    retryable: false,
    meaning: 'the key does not open the backup',
    hint: 'use the identity or passphrase that belongs to it',
  },
  'integrity.signature': {
    exit: 7,
    retryable: false,
    meaning: 'a backup lacks a valid signature of a known key',
    hint: 'find out who wrote it: it was changed after it was signed, or was not made by Holdfast with your key',
  },
  'integrity.chain': {
    exit: 7,
    retryable: false,
    meaning: 'signed backups are missing, or were replaced by others',
    hint: 'find out who removed them; once you know that they are lost, holdfast prune --accept-missing makes verify pass again',
  },
  'drill.check-failed': {
    exit: 7,
    retryable: false,
    meaning: 'the check of a drill ended with an error',
    hint: 'see what it printed, in the report beside the backup',
  },
  'integrity.differs': {
    exit: 7,
    retryable: false,
    meaning: 'a restored database is not what was backed up',
    hint: 'see which tables differ; what writes to the database meanwhile makes it differ, too',
  },

  'refused.not-confirmed': {
    exit: 8,
    retryable: false,
    meaning: 'a step that destroys data was not confirmed',
    hint: 'answer yes, or pass --yes',
  },
  'refused.protected': {
    exit: 8,
    retryable: false,
    meaning: 'the database is protected',
    hint: 'type its name, or pass --confirm NAME',
  },
  'refused.not-empty': {
    exit: 8,
    retryable: false,
    meaning: 'the target holds data that the restore would mix with or lose',
    hint: 'choose an empty target, or another --clean',
  },
  'refused.hook': {
    exit: 8,
    retryable: false,
    meaning: 'a hook or validateRestore refused',
    hint: 'see the message of the hook',
  },
  'refused.revision': {
    exit: 8,
    retryable: false,
    meaning: 'the code or the migrations differ from those of the backup',
    hint: 'check out the revision named, or leave out --require-same-revision',
  },

  'refused.constraint': {
    exit: 8,
    retryable: false,
    meaning: 'rows break a constraint of the target',
    hint: 'nothing was changed: correct the rows that are named, or load the tables that they refer to as well',
  },
  'refused.lossy': {
    exit: 8,
    retryable: false,
    meaning: 'the target cannot hold all that the dump says',
    hint: 'look at what is lost; pass --accept-lossy to load all the same',
  },
  'refused.cells': {
    exit: 8,
    retryable: false,
    meaning: 'cells of a dump do not fit into the columns of the target',
    hint: 'nothing was changed: correct the cells that are named, or say in the configuration what becomes of them',
  },
  'refused.schema': {
    exit: 8,
    retryable: false,
    meaning: 'the tables of a dump do not fit those of the target',
    hint: 'nothing was changed: give rules or renames, or pass --ignore-unknown or --create',
  },
  'refused.referenced': {
    exit: 8,
    retryable: false,
    meaning: 'tables that are not loaded refer to a table that would be emptied',
    hint: 'load them as well, or use another --mode',
  },
  'refused.migrations': {
    exit: 8,
    retryable: false,
    meaning: 'the migrations of the target are behind those of the dump, or differ from them',
    hint: 'migrate the target first, or pass --force',
  },

  'locked.by-another-run': {
    exit: 9,
    retryable: true,
    meaning: 'another run holds the lock',
    hint: 'wait for it',
  },

  'interrupted.sigint': {
    exit: 130,
    retryable: true,
    meaning: 'interrupted',
    hint: 'nothing half-done was kept',
  },
  'interrupted.sigterm': {
    exit: 143,
    retryable: true,
    meaning: 'terminated',
    hint: 'nothing half-done was kept',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorTable

export interface HoldfastErrorOptions {
  readonly cause?: unknown
  /** What to do about it; the table's hint where absent. */
  readonly hint?: string
  /** Facts for programs: the key of an artifact, the name of a database, a tool's messages. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * The only error class of Holdfast. Its `code` is stable; its message is for people: lower case, no full stop, naming the
 * thing.
 *
 * @example
 * try { await hf.backup() } catch (error) {
 *   if (error instanceof HoldfastError && error.code === 'database.unreachable') retryLater()
 * }
 */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError'
  readonly code: ErrorCode
  readonly hint: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: HoldfastErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint ?? errorTable[code].hint
    this.details = options.details ?? {}
  }

  /** The exit code that the command line gives for this error. */
  get exit(): number {
    return errorTable[this.code].exit
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable
  }
}

/** Any thrown value as a HoldfastError; what is not one already becomes `code`, with the original as cause. */
export function asHoldfastError(thrown: unknown, code: ErrorCode = 'internal.unexpected'): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new HoldfastError(code, message, { cause: thrown })
}
