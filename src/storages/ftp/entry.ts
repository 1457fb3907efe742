import { FileType, type FileInfo } from 'basic-ftp'
import { linkRefused } from '../local/paths.js'
import type { NamedEntry, TreeEntry } from '../tree/tree.js'

/**
 * What MLST says of one file (RFC 3659, 7.2): `type=file;size=12;modify=20261120130102.345; /srv/backups/shop/app.dump`.
 * @throws storage.denied for a symbolic link
 */
export function entryOfFacts(message: string, path: string): TreeEntry | undefined {
  const line = message.split(/\r?\n/u).find((each) => /^\s?\S*type=/iu.test(each)) ?? ''
  const words = (line.trimStart().split(' ')[0] ?? '').split(';')
  const facts = new Map(words.map((word) => [word.split('=')[0]?.toLowerCase(), word.split('=')[1] ?? '']))
  const type = facts.get('type')?.toLowerCase() ?? ''
  if (/slink|symlink/u.test(type)) throw linkRefused(path)
  const modified = timeOf(facts.get('modify') ?? '')
  if (type === 'file') return { kind: 'file', bytes: Number(facts.get('size')), modified }
  return /^[cp]?dir$/u.test(type) ? { kind: 'folder', bytes: 0, modified } : undefined
}

/** What a list says. Sockets, pipes and devices are no objects. @throws storage.denied for a symbolic link */
export function entryOfInfo(info: FileInfo, folder: string): readonly NamedEntry[] {
  const { name, type, size, modifiedAt, rawModifiedAt } = info
  if (type === FileType.SymbolicLink) throw linkRefused(`${folder}/${name}`)
  const modified = modifiedAt ?? timeOf(rawModifiedAt)
  if (type === FileType.Directory) return [{ name, kind: 'folder', bytes: 0, modified }]
  return type === FileType.File ? [{ name, kind: 'file', bytes: size, modified }] : []
}

/** `20261120130102.345`, in UTC. */
function timeOf(text: string): Date {
  const [, year, month, day, hour, minute, second, ms = ''] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?/u.exec(text) ?? []
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${ms}Z`)
}
