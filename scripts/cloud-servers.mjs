/**
 * A cloud to test against, on this machine: moto, which speaks S3, in a Python environment of its own. It lies in a cache folder
 * outside the project; what is there is used again.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { testCache } from './test-cache.mjs'

const motoVersion = '5.2.5'
const ending = process.platform === 'win32' ? '.exe' : ''

const motoFolder = () => testCache(`moto-${motoVersion}`)
const motoPath = () =>
  join(motoFolder(), process.platform === 'win32' ? 'Scripts' : 'bin', `moto_server${ending}`)

/** The program that speaks S3; undefined where it is not installed. */
export function motoProgram() {
  return existsSync(motoPath()) ? motoPath() : undefined
}

/** Installs what is missing. Says in a line what it does, and never fails. */
export function ensureCloudServers() {
  ensure(motoProgram(), 'S3 (moto)', 'python3', installMoto)
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
