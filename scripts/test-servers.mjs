/**
 * Sees to the programs that the tests use. On Debian and Ubuntu, as root, it installs what is missing, without starting any
 * service; HOLDFAST_TEST_INSTALL=0 forbids that. Elsewhere it says what is missing: the tests that need it are then skipped, by
 * name. It always ends well.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { ensureCloudServers } from './cloud-servers.mjs'
import { ensureMongodb } from './mongodb-tools.mjs'

const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
const has = (name) => folders.some((folder) => folder !== '' && existsSync(join(folder, name)))
const hasPostgresql = () =>
  (existsSync('/usr/lib/postgresql') &&
    readdirSync('/usr/lib/postgresql').some((version) =>
      existsSync(`/usr/lib/postgresql/${version}/bin/initdb`),
    )) ||
  has('initdb')

/** The newest PostgreSQL of Debian's; the tests use the newest. */
const newestPostgresql = () =>
  existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))[0]
    : undefined
const hasPostgis = () =>
  [
    `/usr/share/postgresql/${newestPostgresql()}/extension`,
    '/opt/homebrew/share/postgresql@17/extension',
    '/usr/local/share/postgresql@17/extension',
  ].some((folder) => existsSync(join(folder, 'postgis.control')))
/** For the PostgreSQL that is there; where none is, for the one that will be. */
const postgisPackage = () =>
  newestPostgresql() === undefined ? 'postgresql-postgis' : `postgresql-${newestPostgresql()}-postgis-3`

/** Debian has MariaDB's server also without a service: the core package. */
const wanted = [
  { name: 'PostgreSQL', packages: ['postgresql'], brew: 'postgresql@17', there: hasPostgresql },
  { name: 'PostGIS', packages: [postgisPackage()], brew: 'postgis', there: hasPostgis },
  {
    name: 'MariaDB',
    packages: ['mariadb-server-core', 'mariadb-client'],
    brew: 'mariadb',
    there: () => has('mariadbd') && has('mariadb-install-db') && has('mariadb-dump'),
  },
  { name: 'age', packages: ['age'], brew: 'age', there: () => has('age') },
  { name: 'gpg', packages: ['gnupg'], brew: 'gnupg', there: () => has('gpg') },
  { name: 'zstd', packages: ['zstd'], brew: 'zstd', there: () => has('zstd') },
  { name: 'sqlite3', packages: ['sqlite3'], brew: 'sqlite', there: () => has('sqlite3') },
  { name: 'openssl', packages: ['openssl'], brew: 'openssl', there: () => has('openssl') },
  { name: 'zsh', packages: ['zsh'], brew: 'zsh', there: () => has('zsh') },
  { name: 'fish', packages: ['fish'], brew: 'fish', there: () => has('fish') },
  { name: 'bsdtar', packages: ['libarchive-tools'], brew: 'libarchive', there: () => has('bsdtar') },
  {
    name: 'sshd',
    packages: ['openssh-server', 'openssh-client'],
    brew: 'openssh',
    there: () => has('sshd') && has('ssh-agent'),
  },
  { name: 'Apache', packages: ['apache2-bin'], brew: 'httpd', there: () => has('apache2') },
  {
    name: 'proftpd',
    packages: ['proftpd-core', 'proftpd-mod-crypto'],
    brew: 'proftpd',
    there: () =>
      has('proftpd') && (process.platform !== 'linux' || existsSync('/usr/lib/proftpd/mod_tls.so')),
  },
  { name: 'restic', packages: ['restic'], brew: 'restic', there: () => has('restic') },
  { name: 'python3', packages: ['python3'], brew: 'python', there: () => has('python3') },
  { name: 'venv', packages: ['python3-venv'], brew: 'python', there: hasVenv },
]

/** Debian has it apart from Python. */
function hasVenv() {
  return has('python3') && spawnSync('python3', ['-c', 'import ensurepip']).status === 0
}

const missing = wanted.filter(({ there }) => !there())
if (missing.length > 0) {
  const names = missing.map(({ name }) => name).join(', ')
  const packages = missing.flatMap((tool) => tool.packages)
  const debian = process.platform === 'linux' && existsSync('/usr/bin/apt-get')
  if (debian && process.getuid() === 0 && process.env.HOLDFAST_TEST_INSTALL !== '0') {
    console.log(`the tests use ${names}: installing ${packages.join(' ')}`)
    install(packages)
  } else {
    console.log(`the tests use ${names}, not installed here; the tests that need them are skipped`)
    if (debian) console.log(`to install: apt-get install --no-install-recommends ${packages.join(' ')}`)
    if (process.platform === 'darwin')
      console.log(`to install: brew install ${missing.map(({ brew }) => brew).join(' ')}`)
  }
}

ensureMongodb()
ensureCloudServers()

function install(packages) {
  const putBack = [withoutServices(), withoutMainCluster()]
  try {
    if (!aptGet(['update'])) return
    if (!aptGet(['install', '--yes', '--no-install-recommends', ...packages])) return
  } finally {
    for (const put of putBack) put()
  }
  console.log('installed')
}

function aptGet(args) {
  const { status, stdout, stderr } = spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=300', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status === 0) return true
  const said = `${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n')
  console.log(`apt-get ${args[0]} failed; the tests that need what is missing are skipped\n${said}`)
  return false
}

/** Installing a package must not start its service: Debian asks this script first. An administrator's own one stays. */
function withoutServices() {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return () => undefined
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rmSync(policy, { force: true })
}

/** Nor make a database cluster of its own; afterwards the file is as it was, or as the package has it. */
function withoutMainCluster() {
  const file = '/etc/postgresql-common/createcluster.conf'
  const standard = '/usr/share/postgresql-common/createcluster.conf'
  const before = existsSync(file) ? readFileSync(file) : undefined
  // Where the package puts its own beside a changed one.
  const distributed = `${file}.ucf-dist`
  const distributedBefore = existsSync(distributed)
  const folderBefore = existsSync(dirname(file))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, 'create_main_cluster = false\n')
  return () => {
    if (before !== undefined) writeFileSync(file, before)
    else if (existsSync(standard)) writeFileSync(file, readFileSync(standard))
    else rmSync(folderBefore ? file : dirname(file), { recursive: true, force: true })
    if (!distributedBefore) rmSync(distributed, { force: true })
  }
}
