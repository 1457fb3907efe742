import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DatabaseConfig } from '../../src/config/config.js'
import { ScratchDatabase } from '../../src/engines/mysql/test-database.js'
import { TestDatabase } from '../../src/engines/postgres/test-fixture.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { built, holdfast } from '../cli/command-line.js'
import { needsAll, needsServer } from '../servers/needs.js'
import { findTool } from '../servers/tools.js'
import { holdfastIn, resultOf, testFolder } from './workbench.js'

const postgresql = needsServer('postgresql')
const mariadb = needsServer('mariadb')

interface Bench {
  readonly title: string
  readonly needs: typeof postgresql
  readonly engine: string
  readonly connector: string
  readonly dumpTool: () => string
  readonly restoreTool: () => string
  /** The setting that names the tool of a restore. */
  readonly restoreSetting: 'restoreCommand' | 'psqlCommand'
  /** An argument that changes nothing. */
  readonly suffix: readonly [dump: string, restore: string]
}

const benches: readonly Bench[] = [
  {
    title: 'PostgreSQL, custom format',
    needs: postgresql,
    engine: 'postgresql',
    connector: 'pg-dump-custom',
    dumpTool: () => join(postgresql.server().binDirectory, 'pg_dump'),
    restoreTool: () => join(postgresql.server().binDirectory, 'pg_restore'),
    restoreSetting: 'restoreCommand',
    suffix: ['--no-subscriptions', '--no-tablespaces'],
  },
  {
    title: 'PostgreSQL, SQL',
    needs: postgresql,
    engine: 'postgresql',
    connector: 'pg-dump',
    dumpTool: () => join(postgresql.server().binDirectory, 'pg_dump'),
    restoreTool: () => join(postgresql.server().binDirectory, 'psql'),
    restoreSetting: 'psqlCommand',
    suffix: ['--no-subscriptions', '--no-readline'],
  },
  {
    title: 'MariaDB',
    needs: mariadb,
    engine: 'mysql',
    connector: 'mysqldump',
    dumpTool: () => findTool('mariadb-dump') ?? '',
    restoreTool: () => findTool('mariadb') ?? '',
    restoreSetting: 'restoreCommand',
    suffix: ['--hex-blob', '--quick'],
  },
]

for (const { title, needs, engine, connector, suffix, ...tools } of benches) {
  needs.describe(`command settings: ${title}`, () => {
    async function bench() {
      const folder = await testFolder()
      const database =
        engine === 'mysql'
          ? await new ScratchDatabase(needs.server(), engine).create()
          : await new TestDatabase(needs.server()).make()
      await database.execute('CREATE TABLE t (i int)')
      await database.execute('INSERT INTO t VALUES (1), (2)')
      // Writes down how it was run, then runs what it was given.
      const note = join(folder, 'note it')
      writeFileSync(
        note,
        `#!/bin/sh\n{ nice; printf '%s\\n' "$@"; echo ENV; env; } >> '${folder}/noted'\nexec "$@"\n`,
      )
      chmodSync(note, 0o755)
      const { host, port, user, password } = needs.server()
      const reach: DatabaseConfig = { engine, connector, host, port, user, password, name: database.name }
      const noted = () => readFileSync(join(folder, 'noted'), 'utf8').split('\n')
      return { folder, database, reach, note, noted }
    }

    it.each(['a text', 'an array'])('prefix and suffix as %s', async (form) => {
      const { folder, database, reach, note, noted } = await bench()
      try {
        const asText = form === 'a text'
        const prefix = asText ? `nice -n 10 '${note}'` : ['nice', '-n', '10', note]
        const hf = await holdfastIn(folder, {
          databases: {
            shop: {
              ...reach,
              dumpPrefix: prefix,
              dumpSuffix: asText ? suffix[0] : [suffix[0]],
              restorePrefix: prefix,
              restoreSuffix: asText ? suffix[1] : [suffix[1]],
            },
          },
        })
        resultOf(await hf.backup())
        await database.execute('DELETE FROM t')
        await hf.restore({ confirm: true })
        expect(await database.rowCount('t')).toBe(2)
        const lines = noted()
        expect(lines.filter((line) => line === '10').length).toBeGreaterThanOrEqual(2)
        expect(lines).toContain(suffix[0])
        expect(lines).toContain(suffix[1])
        expect(lines.join('\n')).not.toContain(needs.server().password)
      } finally {
        await database.drop()
      }
    })

    it('nothing in them is run by a shell', async () => {
      const { folder, database, reach, note, noted } = await bench()
      try {
        const pwned = join(folder, 'pwned')
        const words = [`;`, `touch`, pwned, `$(touch ${pwned})`, `\`touch ${pwned}\``, '|', '*', '~']
        const hf = await holdfastIn(folder, {
          databases: {
            // The stand-in for the tool drops what follows: no tool takes such arguments.
            shop: {
              ...reach,
              dumpPrefix: `'${note}' /usr/bin/printf ${words.map((word) => (word.includes(' ') ? `"${word.replaceAll('`', '\\`').replaceAll('$', '\\$')}"` : word)).join(' ')}`,
            },
          },
        })
        await hf.backup()
        const lines = noted()
        for (const word of words) expect(lines).toContain(word)
        expect(existsSync(pwned)).toBe(false)
      } finally {
        await database.drop()
      }
    })

    it('variables: env for both, dumpEnv and restoreEnv for one, inheritEnv for none of ours', async () => {
      const { folder, database, reach, note, noted } = await bench()
      try {
        const env = nodeEnv()
        const variables = { ...env.variables, HF_INHERITED: 'yes' }
        const shop: DatabaseConfig = {
          ...reach,
          dumpPrefix: [note],
          restorePrefix: [note],
          env: { HF_BOTH: 'both', HF_ONE: 'both' },
          dumpEnv: { HF_ONE: 'dump $HOME' },
          restoreEnv: { HF_ONE: 'restore' },
        }
        const hf = await holdfastIn(folder, { databases: { shop } }, { env: { ...env, variables } })
        resultOf(await hf.backup())
        await hf.restore({ confirm: true })
        expect(noted()).toEqual(
          expect.arrayContaining(['HF_BOTH=both', 'HF_ONE=dump $HOME', 'HF_ONE=restore', 'HF_INHERITED=yes']),
        )
        writeFileSync(join(folder, 'noted'), '')
        const alone = await holdfastIn(
          folder,
          { databases: { shop: { ...shop, inheritEnv: false } } },
          { env: { ...env, variables } },
        )
        resultOf(await alone.backup())
        expect(noted()).toContain('HF_BOTH=both')
        expect(noted()).not.toContain('HF_INHERITED=yes')
        expect(noted().some((line) => line.startsWith('PATH='))).toBe(true)
      } finally {
        await database.drop()
      }
    })

    it('the tools themselves, in a folder with a blank in its name', async () => {
      const { folder, database, reach } = await bench()
      try {
        const bin = join(folder, 'my tools')
        mkdirSync(bin)
        symlinkSync(tools.dumpTool(), join(bin, 'dump'))
        symlinkSync(tools.restoreTool(), join(bin, 'restore'))
        const hf = await holdfastIn(folder, {
          databases: {
            shop: {
              ...reach,
              dumpCommand: `"${bin}/dump"`,
              [tools.restoreSetting]: [`${bin}/restore`],
            },
          },
        })
        resultOf(await hf.backup())
        const { plan } = await hf.restore({ confirm: true })
        expect(plan.tools.map(({ path }) => path).join()).toContain(`${bin}/restore`)
        expect((await hf.doctor()).checks.map(({ message }) => message).join()).toContain(`${bin}/dump`)
      } finally {
        await database.drop()
      }
    })

    describe('on the command line', () => {
      needsAll(needs, built).it('from a configuration file', async () => {
        const { folder, database, reach, note, noted } = await bench()
        try {
          const shop = { ...reach, dumpPrefix: `nice -n 10 '${note}'`, env: { HF_BOTH: 'x y' } }
          writeFileSync(join(folder, 'holdfast.config.json'), JSON.stringify({ databases: { shop } }))
          expect((await holdfast(['backup'], { cwd: folder })).code).toBe(0)
          expect(noted()).toContain('10')
          expect(noted()).toContain('HF_BOTH=x y')
        } finally {
          await database.drop()
        }
      })
    })
  })
}
