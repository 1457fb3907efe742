/**
 * A MongoDB to test against, where none is installed: FerretDB 1.x, which speaks MongoDB's protocol on top of SQLite, and the
 * real mongodump, mongorestore and bsondump, compiled by the Go toolchain from the Go module proxy into a cache folder outside
 * the project. Built once; what is in the cache is used again.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { testCache } from './test-cache.mjs'

/** The last FerretDB that has the SQLite backend, and the database tools 100.9.5: the versions that the tests are written for. */
const ferretdb = { module: 'github.com/FerretDB/FerretDB', version: 'v1.24.2' }
const mongoTools = {
  module: 'github.com/mongodb/mongo-tools',
  version: 'v0.0.0-20240723193119-837c2bc263f4',
  says: '100.9.5',
}
const toolNames = ['mongodump', 'mongorestore', 'bsondump']

const ending = process.platform === 'win32' ? '.exe' : ''

/** Where the built programs lie; the folder's name changes with their versions. */
export function mongodbCache() {
  return testCache(`mongodb-${ferretdb.version}-${mongoTools.says}`)
}

function inPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name + ending))
    .find((path) => existsSync(path))
}

function cached(name) {
  const path = join(mongodbCache(), name + ending)
  return existsSync(path) ? path : undefined
}

/**
 * The programs to test with: a `mongod` that is installed before FerretDB, tools that are installed before those of the cache.
 * Undefined where something is missing.
 */
export function mongodbPrograms() {
  const mongod = inPath('mongod')
  const server = mongod ?? cached('ferretdb')
  const dump = inPath('mongodump') ?? cached('mongodump')
  const restore = inPath('mongorestore') ?? cached('mongorestore')
  if (server === undefined || dump === undefined || restore === undefined) return undefined
  return { server, kind: mongod === undefined ? 'ferretdb' : 'mongod', dump, restore, tools: dirname(dump) }
}

/** Builds what is missing, where there is a Go toolchain. Says in a line or two what it does, and never fails. */
export function ensureMongodb() {
  const builds = [
    ...(inPath('mongod') === undefined && cached('ferretdb') === undefined ? [buildFerretdb] : []),
    ...(toolNames.slice(0, 2).some((name) => inPath(name) === undefined && cached(name) === undefined)
      ? [buildTools]
      : []),
  ]
  if (builds.length === 0) return
  if (inPath('go') === undefined) {
    console.log(
      'the tests use MongoDB (mongod, mongodump, mongorestore), not installed here, and there is no go',
    )
    console.log('to build FerretDB and the tools with; the tests that need mongodb are skipped')
    return
  }
  console.log(`the tests use MongoDB: building FerretDB and its tools once into ${mongodbCache()}`)
  mkdirSync(mongodbCache(), { recursive: true, mode: 0o700 })
  for (const build of builds) {
    try {
      build()
    } catch (error) {
      console.log(`${build.subject}: ${lastLine(error)}; the tests that need mongodb are skipped`)
    }
  }
}

buildFerretdb.subject = `FerretDB ${ferretdb.version}`
function buildFerretdb() {
  const folder = mkdtempSync(join(mongodbCache(), 'build-'))
  try {
    const source = join(folder, 'source')
    cpSync(moduleFolder(ferretdb), source, { recursive: true })
    makeWritable(source)
    // FerretDB does not start without this file, which its own build makes and its module does not hold.
    writeFileSync(join(source, 'build', 'version', 'version.txt'), `${ferretdb.version}\n`)
    goBuild(source, './cmd/ferretdb', join(folder, 'ferretdb'), ['-tags', 'ferretdb_no_postgresql'])
    renameSync(join(folder, 'ferretdb'), join(mongodbCache(), `ferretdb${ending}`))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

buildTools.subject = `MongoDB's tools ${mongoTools.says}`
function buildTools() {
  const source = moduleFolder(mongoTools)
  const folder = mkdtempSync(join(mongodbCache(), 'build-'))
  try {
    for (const name of toolNames) {
      // The module has a list of a vendor folder and not the folder: `-mod=mod` leaves it aside.
      const args = ['-mod=mod', '-ldflags', `-X main.VersionStr=${mongoTools.says}`]
      goBuild(source, `./${name}/main`, join(folder, name), args)
    }
    for (const name of toolNames) renameSync(join(folder, name), join(mongodbCache(), `${name}${ending}`))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The module's own folder in Go's cache: built there, it has the versions of everything else that its go.sum pins. */
function moduleFolder({ module, version }) {
  const said = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], {
    cwd: mongodbCache(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 300_000,
  })
  return JSON.parse(said).Dir
}

function goBuild(cwd, target, output, args) {
  const built = spawnSync('go', ['build', '-trimpath', '-buildvcs=false', ...args, '-o', output, target], {
    cwd,
    env: { ...process.env, GOFLAGS: '', GOTOOLCHAIN: 'local' },
    encoding: 'utf8',
    timeout: 900_000,
  })
  if (built.status !== 0) throw new Error(built.stderr || String(built.error ?? 'go build was ended'))
}

/** Files of Go's cache are read-only, and their copies too. */
function makeWritable(folder) {
  if (process.platform !== 'win32') execFileSync('chmod', ['-R', 'u+w', folder])
}

function lastLine(error) {
  const said = `${error.stderr ?? ''}`.trim() || error.message
  return said.trim().split('\n').at(-1)
}
