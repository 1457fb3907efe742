import { printable, type Style } from '../../terminal.js'
import type { ConfigDocument } from '../json/config.js'
import { table } from './table.js'

/** Every setting with its value and where it came from. */
export function renderConfig(
  { file, baseDirectory, settings }: ConfigDocument,
  style: Style,
  columns: number | undefined,
): string {
  const shown = table(
    settings,
    [
      { title: 'setting', cell: ({ name }) => printable(name) },
      {
        title: 'value',
        cell: ({ value }) => printable(typeof value === 'string' ? value : JSON.stringify(value)),
        wraps: true,
      },
      { title: 'from', cell: ({ origin }) => style('dim', printable(origin)), importance: 1 },
    ],
    style,
    columns,
  )
  const where =
    file === undefined ? `no configuration file in or above ${printable(baseDirectory)}` : printable(file)
  return `${style('bold', where)}\n\n${shown}`
}
