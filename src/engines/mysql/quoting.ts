/** A name as an identifier: in backticks, which hold in every sql_mode. */
export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/** A name as it stands in a statement, in backticks or bare, without them. */
export function unquoteName(name: string): string {
  return name.startsWith('`') ? name.slice(1, -1).replaceAll('``', '`') : name
}

/** A text as a value; a backslash escapes, as it does unless the sql_mode says otherwise. */
export function quoteText(value: string): string {
  return `'${value.replace(/['\\]/gu, '\\$&')}'`
}

/** Names for a message: the first ones, and how many more there are. */
export function listNames(names: readonly string[], most = 10): string {
  const shown = names.slice(0, most).join(', ')
  return names.length > most ? `${shown} and ${names.length - most} more` : shown
}
