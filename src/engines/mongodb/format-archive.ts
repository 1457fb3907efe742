import type { DumpFormat } from '../../engine/connector.js'
import { magic } from './archive.js'
import { ArchiveParser } from './archive-parser.js'

/** What mongodump --archive writes, without its own compression. */
export const mongodbArchive: DumpFormat = {
  name: 'mongodb-archive',
  recognises: (head) => head.length >= magic.length && magic.equals(head.subarray(0, magic.length)),
  checker: () => new ArchiveParser(),
}
