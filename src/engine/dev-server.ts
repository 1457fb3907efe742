import type { Account } from '../env/account.js'
import type { Context } from '../env/context.js'
import type { Secret } from '../env/secret.js'

/**
 * What an engine must say so that development servers of it can be run. The life of a server (folder, port, pid, readiness, stop,
 * backups) is in `devserver/`, the same for all. An engine whose databases are files has no `command`.
 */
export interface DevServerDriver {
  /** As `--engine` names it, and the folder under `.holdfast/dev/`: `postgresql`. */
  readonly engine: string
  /** Accounts that packages make for this server; root starts it as one of them. */
  readonly accounts?: readonly string[]
  /** The server does not refuse root, and is run so where its account cannot reach its programs. */
  readonly runsAsRoot?: true
  /** Ends the server in good order. Default `SIGTERM`. */
  readonly stopSignal?: NodeJS.Signals
  /** Ends at once a server whose data are not wanted any more. Default `SIGKILL`. */
  readonly discardSignal?: NodeJS.Signals
  /**
   * The programs of this machine.
   * @throws tool.missing, with the package to install as its hint; tool.too-old
   */
  find(cx: Context, wanted: WantedPrograms): Promise<DevServerPrograms>
  /** Every server of this machine, of each version once. Absent: the one that `find` gives is the only one. @throws as find */
  installed?(cx: Context, wanted: WantedPrograms): Promise<readonly DevServerPrograms[]>
  /** The version that a data folder is of, to be compared with `dataVersion` of the programs; undefined where it does not say. */
  dataVersion?(dataDirectory: string): Promise<string | undefined>
  /**
   * Makes the data folder, which is not there yet, or is empty where `create` is absent. What it and `settle` make may be copied,
   * and what a server has made of it may be moved, while none runs: another one goes on with it, at another place and port, and
   * with another password where it was copied.
   */
  create?(cx: Context, site: DevServerSite): Promise<void>
  /** Whether a file in that folder, by its name, is one that the server does without and makes anew: copies are made without it. */
  spares?(name: string): boolean
  /** Before each start: writes files that the command line names. */
  prepare?(cx: Context, site: DevServerSite): Promise<void>
  /** The command line that runs the server in the foreground. It holds no password. Absent: the database is a file. */
  command?(site: DevServerSite): ServerCommand
  /**
   * Added to `serverArgs` of a server that a restore fills, and nobody else uses: what saves work. It is stopped in good order
   * before its data are another server's.
   */
  fillingArgs?(site: DevServerSite): readonly string[]
  /**
   * On the first start, as soon as the server answers: makes the account and the database that the site names. Called again
   * where it fails or is interrupted. A rejection means "not yet".
   */
  settle?(cx: Context, site: DevServerSite): Promise<void>
  /** A real query, with the site's user, password and database. A rejection means "not yet". @returns the server's version */
  ask(cx: Context, site: DevServerSite): Promise<string>
  /** The pid of a dead server now means another process: removes a lock of the server's own that would be taken for a live one. */
  clearStale?(site: DevServerSite, pid: number): Promise<void>
  /** For `DATABASE_URL`, with the password. */
  url(site: DevServerSite): string
  /** What the engine's own programs read, with the password: `PGHOST`. */
  variables?(site: DevServerSite): Readonly<Record<string, string>>
  /** The template of `holdfast dev guide`, in Markdown; see `docs/guides/development-databases.md` for its placeholders. */
  guide?(): Promise<string>
  /** In place of Holdfast's own backup: writes into the directory, which is empty. */
  backup?(cx: Context, site: DevServerSite, directory: string): Promise<void>
  /** In place of Holdfast's own: restores what `backup` has written, into a server that has just been made. */
  restore?(cx: Context, site: DevServerSite, directory: string): Promise<void>
}

export interface WantedPrograms {
  /** A folder to find them in, and nowhere else. */
  readonly directory?: string
  /** Where packages of npm may lie, nearest first, for servers that come as one. */
  readonly modules: readonly string[]
  /** Of the data that are there: programs of this version go first. */
  readonly dataVersion?: string
}

/** A server's programs, as found on this machine. */
export interface DevServerPrograms {
  /** What it calls itself: `PostgreSQL`, `FerretDB`. */
  readonly product: string
  /** `15.18` */
  readonly version: string
  /** What data folders of it say they are of: `15`, `MariaDB 10.11`. */
  readonly dataVersion?: string
  /** Paths by the driver's own names: `{ initdb: '/usr/lib/postgresql/15/bin/initdb' }`. */
  readonly paths: Readonly<Record<string, string>>
}

export interface ServerCommand {
  readonly program: string
  readonly args: readonly string[]
  /** Added to an environment that holds little more than PATH. */
  readonly env?: Readonly<Record<string, string>>
}

/** One development server: where it is and how to reach it. */
export interface DevServerSite {
  readonly engine: string
  /** Several of one engine have different names. */
  readonly name: string
  /** Belongs to the server alone. */
  readonly folder: string
  readonly dataDirectory: string
  /** For Unix sockets; absent where their paths would be longer than the system allows. */
  readonly socketDirectory?: string
  readonly logFile: string
  readonly programs: DevServerPrograms
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: Secret
  readonly database: string
  /** The password that the data folder was made with; `settle` replaces it with `password`. */
  readonly initialPassword: Secret
  /** False where the data are thrown away with the server: then nothing needs to wait for the disk. */
  readonly durable: boolean
  /** More arguments for the server, of the user's own. */
  readonly serverArgs: readonly string[]
  /** What the server runs as, where that is not the account of this process. */
  readonly account?: Account
  /** Runs a program that prepares the server: as its account, in its folder. @throws tool.missing, tool.failed */
  run(cx: Context, command: ServerCommand): Promise<void>
  /** Writes a file in the folder that nobody but the server's account can read, and gives its path. */
  writePrivate(name: string, content: string): Promise<string>
}
