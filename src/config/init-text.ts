import type { Discovery, Finding } from './discover.js'

/** The text of a configuration file, the same for TypeScript and JavaScript. */
export function renderConfig({ findings, envFile }: Discovery): string {
  return `${header(envFile)}
export default defineConfig({
  databases: {
${findings.length === 0 ? nothingFound : findings.map(databaseLines).join('\n')}
  },

  // Where backups go. A copy on another machine survives the loss of this one.
  storages: {
    main: { driver: 'local', path: './backups' },
  },

  // zstd:1 (fast) to zstd:19 (small), gzip:1 to gzip:9, or none.
  compress: 'zstd:3',

  // Encrypted with age, a backup can be read only with the private key, which is not needed to make it:
  // run age-keygen -o key.txt, put the public key here, and keep key.txt away from this machine.
  // encrypt: { age: { recipients: ['age1…'] } },

  // What holdfast prune and holdfast backup --prune keep. The newest good backup always stays.
  retention: { last: 7, daily: 14, weekly: 8, monthly: 12 },

  // Who is told what became of a run; also email, webhook and ping.
  // notify: { team: { kind: 'slack', url: env('SLACK_WEBHOOK_URL'), on: ['failure'] } },

  // hooks: {
  //   afterBackup: ({ database, filename }) => console.error(\`\${database.name} is safe in \${filename}\`),
  // },
})
`
}

function header(envFile: string | undefined): string {
  if (envFile === undefined) return `import { defineConfig, env } from 'holdfast'\n`
  return `import { existsSync } from 'node:fs'
import { defineConfig, env } from 'holdfast'

// Holdfast reads no .env file by itself. A variable that is set already wins over the file.
const envFile = new URL('${envFile}', import.meta.url)
if (existsSync(envFile)) process.loadEnvFile(envFile)
`
}

const nothingFound = `    // No database was found here. A few examples:
    // default: { url: env('DATABASE_URL') },
    // local: { url: 'sqlite:./app.db' },
    // shop: { engine: 'postgresql', host: '127.0.0.1', user: 'shop', password: env('SHOP_PASSWORD'), name: 'shop' },`

function databaseLines(finding: Finding): string {
  const { alias, engine, sources, variable, path, directVariable, doubtful } = finding
  const lines = [`    // ${engine}, from ${sources.join(', ')}`]
  const entry = (value: string) => `${doubtful ? '// ' : ''}${key(alias)}: ${value},`
  if (path !== undefined) lines.push(`    ${entry(`{ url: ${quoted(`${engine}:${path}`)} }`)}`)
  else if (variable === undefined) {
    lines.push(
      `    // Only the engine is known; fill in the rest:`,
      `    // ${key(alias)}: { engine: ${quoted(engine)}, host: '127.0.0.1', user: '…', password: env('DATABASE_PASSWORD'), name: '…' },`,
    )
  } else if (directVariable === undefined) lines.push(`    ${entry(`{ url: env(${quoted(variable)}) }`)}`)
  else {
    lines.push(
      `    // Backups go past the connection pooler, through which dump tools do not work.`,
      `    ${entry(`{ url: env(${quoted(variable)}), backup: { url: env(${quoted(directVariable)}) } }`)}`,
    )
  }
  if (doubtful && variable !== undefined)
    lines.splice(1, 0, '    // Seems to be a database that is named already.')
  return lines.join('\n')
}

function key(alias: string): string {
  return /^[a-z_$][\w$]*$/iu.test(alias) ? alias : quoted(alias)
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/gu, '\\$&')}'`
}
