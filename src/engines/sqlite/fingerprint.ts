import type { Fingerprinter } from '../../engine/fingerprinter.js'
import { fingerprintMethod } from './fingerprint-method.js'
import { requireFile } from './session.js'
import { ask } from './tools.js'

export const sqliteFingerprinter: Fingerprinter = {
  method: fingerprintMethod,
  defaultLevel: 'counts',
  async take(cx, { name: path }, { level, tables }) {
    await requireFile(path)
    const names = tables?.map(({ name }) => name)
    const { answer } = await ask(cx, 'fingerprint', {
      path,
      level,
      ...(names === undefined ? {} : { tables: names }),
    })
    return answer
  },
}
