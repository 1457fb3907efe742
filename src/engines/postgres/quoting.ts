/** Quoting by PostgreSQL's rules: for SQL, for connection strings, for the patterns of its tools. */

/** A name in SQL: https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function qualifiedName(schema: string, name: string): string {
  return `${identifier(schema)}.${identifier(name)}`
}

/** A string in SQL; the E form reads the same whatever standard_conforming_strings says. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/**
 * `keyword='value'` pairs that libpq reads: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING.
 * A database named `a=b` or `postgres://x` is a name in it, not a connection string of its own.
 */
export function connectionString(values: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(values)
    .flatMap(([keyword, value]) =>
      value === undefined ? [] : [`${keyword}='${value.replace(/['\\]/gu, '\\$&')}'`],
    )
    .join(' ')
}

/**
 * A pattern of pg_dump and psql that means exactly these names. Within double quotes every character stands for itself; the
 * alternation is a regular expression: https://www.postgresql.org/docs/current/app-psql.html#APP-PSQL-PATTERNS
 */
export function namePattern(names: readonly string[]): string {
  return names.length === 1 ? names.map(identifier).join('') : `(${names.map(identifier).join('|')})`
}
