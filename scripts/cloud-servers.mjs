/**
 * Clouds to test against, on this machine: moto, which speaks S3, in a Python environment of its own, and fake-gcs-server, which
 * speaks Google Cloud Storage's protocol, compiled by the Go toolchain. They lie in a cache folder outside the project; what is
 * there is used again. (Azure's is a package of npm.)
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { testCache } from './test-cache.mjs'

const motoVersion = '5.2.5'
const fakeGcs = { module: 'github.com/fsouza/fake-gcs-server', version: 'v1.52.2' }
const ending = process.platform === 'win32' ? '.exe' : ''

const motoFolder = () => testCache(`moto-${motoVersion}`)
const motoPath = () =>
  join(motoFolder(), process.platform === 'win32' ? 'Scripts' : 'bin', `moto_server${ending}`)

/** The program that speaks S3; undefined where it is not installed. */
export function motoProgram() {
  return existsSync(motoPath()) ? motoPath() : undefined
}

const fakeGcsFolder = () => testCache(`fake-gcs-server-${fakeGcs.version}`)
const fakeGcsPath = () => join(fakeGcsFolder(), `fake-gcs-server${ending}`)

/** The program that speaks Google Cloud Storage's protocol; undefined where it is not built. */
export function fakeGcsProgram() {
  return existsSync(fakeGcsPath()) ? fakeGcsPath() : undefined
}

/** Installs what is missing. Says in a line what it does, and never fails. */
export function ensureCloudServers() {
  ensure(motoProgram(), 'S3 (moto)', 'python3', installMoto)
  ensure(fakeGcsProgram(), 'Google Cloud Storage (fake-gcs-server)', 'go', buildFakeGcs)
}

function ensure(there, name, needed, make) {
  if (there !== undefined) return
  if (!inPath(needed)) {
    console.log(`the tests use ${name}, not installed here, and there is no ${needed}; they are skipped`)
    return
  }
  console.log(`the tests use ${name}: making it once in ${testCache('')}`)
  try {
    make()
  } catch (error) {
    const said = `${error.stderr ?? ''}`.trim() || error.message
    console.log(`${name}: ${said.trim().split('\n').at(-1)}; the tests that need it are skipped`)
  }
}

function installMoto() {
  // Its programs name the folder they were installed in, so it is made where it stays, and taken away where that fails.
  rmSync(motoFolder(), { recursive: true, force: true })
  mkdirSync(dirname(motoFolder()), { recursive: true, mode: 0o700 })
  try {
    run('python3', ['-m', 'venv', motoFolder()])
    run(join(dirname(motoPath()), `pip${ending}`), ['install', '--quiet', `moto[server]==${motoVersion}`])
  } catch (error) {
    rmSync(motoFolder(), { recursive: true, force: true })
    throw error
  }
}

function buildFakeGcs() {
  mkdirSync(fakeGcsFolder(), { recursive: true, mode: 0o700 })
  const folder = mkdtempSync(join(fakeGcsFolder(), 'build-'))
  try {
    run('go', ['install', '-trimpath', `${fakeGcs.module}@${fakeGcs.version}`], { GOBIN: folder })
    renameSync(join(folder, `fake-gcs-server${ending}`), fakeGcsPath())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(program, args, variables = {}) {
  execFileSync(program, args, {
    env: { ...process.env, GOFLAGS: '', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 900_000,
  })
}

function inPath(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && existsSync(join(folder, name + ending)))
}
