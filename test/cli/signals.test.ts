import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { filesBelow, makeShop, testFolder } from '../flows/workbench.js'
import { built, collect, holdfast, project, start, until } from './command-line.js'

/** Starts a backup to stdout that nobody reads: it works until the pipe is full, and then waits for ever. */
async function stuck(cwd: string, temporary: string) {
  makeShop(join(cwd, 'large.sqlite3'), 60_000)
  const child = start(['backup', 'sqlite:./large.sqlite3', '-o', '-', '--compress', 'none'], {
    cwd,
    variables: { TMPDIR: temporary },
  })
  const stderr = collect(child, 'stderr')
  await once(child.stdout ?? child, 'readable')
  return { child, stderr }
}

built.describe('FAILURES 6: a run that is ended from outside', () => {
  it.each([
    ['SIGINT', 130, 'interrupted.sigint'],
    ['SIGTERM', 143, 'interrupted.sigterm'],
    ['SIGHUP', 143, 'interrupted.sigterm'],
  ] as const)(
    '%s: exit %i, and nothing is left, also where the reader has stopped reading',
    async (signal, code, error) => {
      const cwd = await project()
      const temporary = await testFolder()
      const { child, stderr } = await stuck(cwd, temporary)
      child.kill(signal)
      expect(await once(child, 'exit')).toEqual([code, null])
      expect(stderr()).toContain(`[${error}]`)
      expect(filesBelow(temporary)).toEqual([])
    },
  )

  it('leaves no half backup in the storage', async () => {
    const cwd = await project()
    makeShop(join(cwd, 'large.sqlite3'), 150_000)
    const child = start(
      ['backup', 'sqlite:./large.sqlite3', '--compress', 'zstd:19', '--progress', 'always'],
      { cwd },
    )
    const stderr = collect(child, 'stderr')
    // The announcement of the backup is the first file in the storage.
    await until(child, () => below(join(cwd, 'backups')).length > 0)
    child.kill('SIGINT')
    expect(await once(child, 'exit')).toEqual([130, null])
    expect(stderr()).toContain('interrupted')
    expect(below(join(cwd, 'backups'))).toEqual([])
    expect(await holdfast(['list', '--json'], { cwd })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"backups": []') as string,
    })
  })
})

function below(folder: string): readonly string[] {
  try {
    return filesBelow(folder)
  } catch {
    return []
  }
}
