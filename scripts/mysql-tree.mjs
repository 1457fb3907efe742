/**
 * A MySQL server for the tests on Debian, which ships MariaDB: takes MySQL's packages from sid into a folder of their own, and
 * starts the server there. Nothing else of the machine changes. Needs root and debootstrap, once.
 *
 *   node scripts/mysql-tree.mjs FOLDER
 *
 * It prints two variables for `npm test` and serves until it is ended; the data are gone then, the programs stay for next time.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'

const packages = ['mysql-server-core', 'mysql-client-core', 'mysql-client']
const [argument] = process.argv.slice(2)
if (argument === undefined) fail('say where: node scripts/mysql-tree.mjs FOLDER')
const folder = resolve(argument)
const tree = join(folder, 'tree')
const bin = join(folder, 'bin')
const data = join(folder, 'data')

if (!existsSync(bin)) {
  run('debootstrap', ['--variant=minbase', `--include=${packages.join(',')}`, 'sid', tree])
  wrapPrograms()
}
rmSync(data, { recursive: true, force: true })
const password = randomBytes(12).toString('hex')
const port = await freePort()
const server = start()
console.log(`export HOLDFAST_TEST_MYSQL=mysql://root:${password}@127.0.0.1:${port}/any`)
console.log(`export HOLDFAST_TEST_MYSQL_BIN=${bin}`)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill('SIGKILL'))
server.on('exit', () => {
  rmSync(data, { recursive: true, force: true })
})

/** The programs run outside of the tree, with its loader and libraries: option files and sockets lie where they always do. */
function wrapPrograms() {
  const library = join(tree, 'usr/lib')
  const machine = readdirSync(library).find((name) => name.endsWith('-linux-gnu'))
  const libraries = [
    join(library, machine),
    join(library, machine, 'private'),
    join(library, 'mysql/private'),
  ]
  const loader = readdirSync(join(library, machine)).find((name) => /^ld-linux.*\.so/u.test(name))
  mkdirSync(bin, { recursive: true })
  for (const program of ['usr/sbin/mysqld', 'usr/bin/mysql', 'usr/bin/mysqldump']) {
    const words = [join(library, machine, loader), '--library-path', libraries.join(':'), join(tree, program)]
    const script = `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`
    writeFileSync(join(bin, program.split('/').at(-1)), script, { mode: 0o755 })
  }
}

function start() {
  const sql = join(folder, 'account.sql')
  writeFileSync(sql, `ALTER USER root@localhost IDENTIFIED BY '${password}';\n`, { mode: 0o600 })
  const options = [
    '--no-defaults',
    '--user=root',
    `--basedir=${join(tree, 'usr')}`,
    `--lc-messages-dir=${join(tree, 'usr/share/mysql')}`,
    `--datadir=${data}`,
    '--secure-file-priv=NULL',
  ]
  run(join(bin, 'mysqld'), [...options, '--initialize-insecure'])
  return spawn(
    join(bin, 'mysqld'),
    [
      ...options,
      `--init-file=${sql}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      '--mysqlx=OFF',
      `--socket=${join(folder, 'mysqld.sock')}`,
      `--pid-file=${join(folder, 'mysqld.pid')}`,
      '--innodb-flush-log-at-trx-commit=0',
      '--log-error-verbosity=1',
      '--log-bin-trust-function-creators=ON',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => done(port))
    })
  })
}

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  if (error !== undefined || status !== 0) fail(`${program} failed: ${error?.message ?? `status ${status}`}`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
