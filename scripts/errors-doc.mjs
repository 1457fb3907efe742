// Writes docs/errors.md from the table in src/errors.ts; with --check only says whether it is up to date.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'

const source = fileURLToPath(new URL('../src/errors.ts', import.meta.url))
const target = fileURLToPath(new URL('../docs/errors.md', import.meta.url))

const exits = {
  0: 'done',
  1: 'unexpected',
  2: 'usage or configuration',
  3: 'partial: some of the work was done and some failed',
  4: 'database unreachable or refused',
  5: 'a tool missing, too old or failed',
  6: 'storage',
  7: 'integrity or verification failed',
  8: 'refused: a hook, missing confirmation, protected, revision',
  9: 'locked by another run',
  130: 'interrupted by Ctrl-C (SIGINT)',
  143: 'terminated (SIGTERM, or the terminal was closed)',
}

function renderDocument(errorTable) {
  const entries = Object.entries(errorTable)
  const exitRows = Object.entries(exits).map(([code, meaning]) => `| ${code} | ${meaning} |`)
  const sections = [...new Set(entries.map(([code]) => code.split('.')[0]))].map((group) => {
    const rows = entries
      .filter(([code]) => code.startsWith(`${group}.`))
      .map(
        ([code, { meaning, hint, exit, retryable }]) =>
          `| \`${code}\` | ${cell(meaning)} | ${cell(hint)} | ${exit} | ${retryable ? 'yes' : 'no'} |`,
      )
    return [
      `## ${group}`,
      '',
      '| Code | What it means | What to do | Exit | Retry |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n')
  })
  return `# Errors

Every error of Holdfast has a code, which is stable: new ones may come with any version, and none changes its meaning within
a major one. On the command line the code stands in brackets after the message, and in \`error.code\` with \`--json\`; in the
library it is \`HoldfastError.code\`. *Retry* says whether the same call may succeed later without any change
(\`HoldfastError.retryable\`).

This page is generated from \`src/errors.ts\` by \`npm run docs:errors\`.

## Exit codes of the command line

| Code | Meaning |
|---|---|
${exitRows.join('\n')}

\`backup\` of several databases gives 3 where some failed. Where all failed, it gives the code that all their errors share, or
1 where they differ. \`verify\`, \`list\` and \`doctor\` give 7 where any data are damaged, whatever else is wrong; otherwise
the code that all errors share, or 1. \`verify --restore\` does the same, but gives 3 where some backups passed and the others could not be tried.

${sections.join('\n\n')}
`
}

function cell(text) {
  return text.replaceAll('|', '\\|')
}

const { errorTable } = await createJiti(import.meta.url, { fsCache: false }).import(source)
const unexplained = Object.values(errorTable).filter(({ exit }) => !(exit in exits))
if (unexplained.length > 0)
  throw new Error(`exit codes without a meaning: ${unexplained.map(({ exit }) => exit).join(', ')}`)
const document = renderDocument(errorTable)
if (process.argv.includes('--check')) {
  const current = await readFile(target, 'utf8').catch(() => '')
  if (current !== document) {
    console.error('docs/errors.md is out of date: run npm run docs:errors')
    process.exitCode = 1
  }
} else {
  await writeFile(target, document)
}
