/**
 * What Holdfast takes from the machine, behind a seam: the clock, random bytes, variables, temporary folders. The real one
 * is in `node-env.ts`; tests give their own from `testing/`.
 */
export interface Env {
  readonly clock: Clock
  /** Cryptographically strong random bytes. */
  randomBytes(length: number): Uint8Array
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly platform: NodeJS.Platform
  readonly hostName: string
  readonly workingDirectory: string
  readonly homeDirectory: string
  /** How many threads can really run at once. */
  readonly cores: number
  /** A new private folder (0700), for passfiles, sockets and what a tool needs as a seekable file. */
  temporaryDirectory(): Promise<TemporaryDirectory>
}

export interface Clock {
  now(): Date
}

export interface TemporaryDirectory {
  readonly path: string
  /** Writes a new file of mode 0600 in the folder and gives its path. */
  writeFile(name: string, content: string | Uint8Array): Promise<string>
  /** Removes the folder and all in it. It is also removed when the process ends in any way that lets it run code. */
  remove(): Promise<void>
}
