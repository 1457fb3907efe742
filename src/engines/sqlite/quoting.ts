/** A name as SQL, whatever its characters. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL; it holds no NUL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
