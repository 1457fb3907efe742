import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fingerprint, FingerprintLevel } from '../../../engine/fingerprinter.js'
import type { Context } from '../../../env/context.js'
import type { ProofWanted } from '../program/protocol.js'

/** Where the program leaves the fingerprint of a dump whose bytes take up its stdout. */
export interface ProofFile {
  /** For the program; nothing where no fingerprint is wanted. */
  readonly input: { readonly proof?: ProofWanted }
  /** Once the program has ended well. */
  read(): Promise<Fingerprint | undefined>
  remove(): Promise<void>
}

export async function proofFile(cx: Context, level: FingerprintLevel = 'none'): Promise<ProofFile> {
  if (level === 'none')
    return { input: {}, read: () => Promise.resolve(undefined), remove: () => Promise.resolve() }
  const folder = await cx.env.temporaryDirectory()
  const file = join(folder.path, 'fingerprint.json')
  return {
    input: { proof: { level, file } },
    read: async () => JSON.parse(await readFile(file, 'utf8')) as Fingerprint,
    remove: () => folder.remove(),
  }
}
