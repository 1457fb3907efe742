/** Where libraries keep how they reach a database, relative to the project. */
export const configSources: readonly string[] = [
  'prisma/schema.prisma',
  'schema.prisma',
  'prisma.config.ts',
  ...['ts', 'js', 'mjs', 'json'].map((ending) => `drizzle.config.${ending}`),
  ...['ts', 'js', 'cjs', 'mjs'].map((ending) => `knexfile.${ending}`),
  ...['json', 'ts', 'js'].map((ending) => `ormconfig.${ending}`),
  'data-source.ts',
  'src/data-source.ts',
  'src/database/data-source.ts',
]

/** What the text of such a file tells without being run. Never a URL with a password, never another secret. */
export interface SourceHints {
  /** As the library calls it: `pg`, `postgresql`, `better-sqlite3`. */
  readonly engine?: string
  /** Names of variables that seem to hold URLs. */
  readonly variables: readonly string[]
  /** The path of a database file that stands in it. */
  readonly file?: string
}

// Prisma: `provider = "x"` in the datasource; Drizzle: dialect; Knex: client; TypeORM: type.
const enginePatterns = [
  /datasource\s+\w+\s*\{[^}]*provider\s*=\s*"([\w-]+)"/u,
  /["']?(?:dialect|client|type)["']?\s*:\s*["']([\w-]+)["']/u,
]
const variablePattern = /(?:process\.env\.|process\.env\[["']|\benv(?:<[^>]*>)?\(["'])([A-Za-z_]\w*)/gu
const filePattern = /["'](?:file:|sqlite:)?([^"'\s:]+\.(?:db3?|sqlite3?))["']/u

export function readHints(text: string): SourceHints {
  const code = withoutComments(text)
  const engine = enginePatterns.map((pattern) => pattern.exec(code)?.[1]).find((found) => found !== undefined)
  const variables = [...code.matchAll(variablePattern)]
    .map(([, name = '']) => name)
    .filter((name) => /(?:URL|URI|DSN)$/u.test(name) && !/SHADOW/u.test(name))
  const file = filePattern.exec(code)?.[1]
  return {
    variables: [...new Set(variables)],
    ...(engine === undefined ? {} : { engine }),
    ...(file === undefined ? {} : { file }),
  }
}

/** Line comments that follow a space or begin a line, so that the slashes of a URL stay. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//gu, '').replace(/(^|\s)\/\/.*$/gmu, '$1')
}
