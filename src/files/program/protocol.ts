import type { ProgramLine } from '../../process/own-program.js'

/**
 * The commands of Holdfast's own program for files: what each is told (as JSON, its second argument) and what it answers. `pack`
 * writes an archive to stdout and says its facts on stderr; `examine` and `unpack` read one from stdin. Why it is a program of its
 * own: docs/decisions/files-program.md.
 */
export interface Commands {
  readonly pack: { readonly input: PackInput; readonly output: never }
  readonly examine: { readonly input: ExtractInput; readonly output: Examined }
  readonly unpack: { readonly input: ExtractInput; readonly output: Unpacked }
  /** Removes the unfinished files that an interrupted `unpack` has left in a folder; how many there were. */
  readonly sweep: { readonly input: SweepInput; readonly output: number }
}

export type CommandName = keyof Commands

export interface PackInput {
  /** The folder's absolute path. */
  readonly source: string
  /** Patterns; an empty list means all. */
  readonly include: readonly string[]
  readonly exclude: readonly string[]
}

/** What an archive holds, and what is not as it should be. */
export interface PackFacts {
  /** Files, folders and links. */
  readonly entries: number
  /** Of all files together. */
  readonly bytes: number
  /** Files that changed while they were read. */
  readonly changed: number
  /** Files and folders that could not be read. */
  readonly unreadable: number
}

export type ConflictMode = 'replace' | 'skip' | 'error'

export interface ExtractInput {
  /** The folder's absolute path, without symbolic links. */
  readonly target: string
  readonly onConflict: ConflictMode
  /** Patterns; an empty list means all. */
  readonly only: readonly string[]
  /** Links that lead out of the target are made as they are. Otherwise they are refused. */
  readonly linksOut: boolean
  /** The folder was made for this: it gets the mode and times of the archive's own. */
  readonly fresh: boolean
  /** In the names of unfinished files. */
  readonly token: string
}

export interface Examined {
  /** Of the archive, as far as they were asked for. */
  readonly entries: number
  readonly bytes: number
  /** Files and links in the target and its folders. */
  readonly present: number
  /** Files and links of the target that the archive has too: how many, and the first of them. */
  readonly conflicts: number
  readonly conflictNames: readonly string[]
  /** How many symbolic links lead out of the target, and the first of them as `name -> link`. */
  readonly linksOut: number
  readonly linkNames: readonly string[]
}

export interface Unpacked {
  readonly files: number
  readonly folders: number
  readonly links: number
  readonly bytes: number
  /** Left as they were, with `onConflict: 'skip'`. */
  readonly skipped: number
}

export interface SweepInput {
  readonly target: string
  readonly token: string
}

/** A line on stderr. */
export type MessageLine = ProgramLine | { readonly facts: PackFacts }
