import { join, resolve } from 'node:path'
import type { Context } from '../env/context.js'

/** A file of this machine that a setting names: relative to the configuration file, or to the home folder with `~/` before it. */
export function localFile(cx: Context, file: string, baseDirectory: string): string {
  return /^~[/\\]/u.test(file) ? join(cx.env.homeDirectory, file.slice(2)) : resolve(baseDirectory, file)
}
