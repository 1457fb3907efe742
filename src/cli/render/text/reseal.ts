import type { ResealReport } from '../../../operations/portable-reports.js'
import { printable, type Style } from '../../terminal.js'
import { counted } from '../../../env/counted.js'

export function renderReseal({ files }: ResealReport, style: Style): string {
  return files
    .map(({ path, rows, changed }) => {
      const what = changed ? style('green', 'resealed') : style('dim', 'unchanged')
      return `${what} ${printable(path)}: ${counted(rows, 'row')}`
    })
    .join('\n')
}
