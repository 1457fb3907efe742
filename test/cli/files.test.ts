import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { testFolder } from '../flows/workbench.js'
import { built, collect, documentOf, holdfast, start, until } from './command-line.js'

async function project(): Promise<string> {
  const folder = await testFolder()
  mkdirSync(join(folder, 'uploads'))
  writeFileSync(join(folder, 'uploads/a.txt'), 'a')
  const config = { serverName: 'test', files: { media: './uploads' } }
  writeFileSync(join(folder, 'holdfast.config.json'), JSON.stringify(config))
  return folder
}

built.describe('holdfast files', () => {
  built.it('--metrics-file counts a backup', async () => {
    const cwd = await project()
    expect((await holdfast(['files', 'backup', '--metrics-file', 'm.prom'], { cwd })).code).toBe(0)
    const metrics = readFileSync(join(cwd, 'm.prom'), 'utf8')
    expect(metrics).toMatch(/^holdfast_files_backup_result\{.*"media".*\} 1$/mu)
  })

  built.it('backs up, lists and restores, for people and for programs', async () => {
    const cwd = await project()
    const made = await holdfast(['files', 'backup'], { cwd })
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toMatch(/media-test-.*\.tar\.zst/u)
    const document = documentOf(await holdfast(['files', 'backup', 'media', '--json'], { cwd }))
    expect(document).toMatchObject({
      command: 'files backup',
      outcomes: [{ set: 'media', ok: true, files: { entries: 2, bytes: 1, changed: 0, unreadable: 0 } }],
    })
    const listed = documentOf(await holdfast(['files', 'list', '--json'], { cwd }))
    expect(listed['backups']).toMatchObject([{ kind: 'files' }, { kind: 'files' }])
    expect((await holdfast(['show'], { cwd })).stdout).toMatch(/holds +2 entries, 1 B/u)
    const refused = await holdfast(['files', 'restore', '--yes'], { cwd })
    expect(refused.code).toBe(8)
    expect(refused.stderr).toContain('--on-conflict')
    const planned = documentOf(
      await holdfast(['files', 'restore', '--replace', '--dry-run', '--json'], { cwd }),
    )
    expect(planned).toMatchObject({ restored: false, plan: { mode: 'empty-first', present: 1, entries: 2 } })
    const unasked = await holdfast(['files', 'restore', '--replace'], { cwd })
    expect(unasked).toMatchObject({ code: 8 })
    expect(unasked.stderr).toContain('1 file that the folder holds now')
    const done = await holdfast(['files', 'restore', '--to', 'new', '--only', '*.txt', '--yes'], { cwd })
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('restored 1 file') as string })
    expect(readdirSync(join(cwd, 'new'))).toEqual(['a.txt'])
  })

  built.it('says what is wrong with what is typed', async () => {
    const cwd = await project()
    const error = async (...args: string[]) => {
      const { code, stderr } = await holdfast(args, { cwd })
      return `${code} ${stderr}`
    }
    expect(await error('files')).toMatch(/^2 .*files backup, files restore, files list/u)
    expect(await error('files', 'bakcup')).toMatch(/^2 .*did you mean files backup/u)
    expect(await error('files', 'backup', 'medai')).toMatch(/^2 .*did you mean media/u)
    expect(await error('files', 'restore', '--on-conflict', 'ask')).toMatch(/^2 .*replace, skip, error/u)
    expect((await holdfast(['help', 'files', 'restore'], { cwd })).stdout).toContain('--on-conflict')
    expect((await holdfast(['__complete', 'files', 'backup', ''], { cwd })).stdout).toBe('media\n')
    expect((await holdfast(['__complete', 'files', ''], { cwd })).stdout).toBe('backup\nrestore\nlist\n')
  })

  built.it('FAILURES 6: Ctrl-C ends it with 130, and nothing stays', async () => {
    const cwd = await project()
    writeFileSync(join(cwd, 'uploads/large'), randomBytes(40_000_000))
    const child = start(['files', 'backup', '--compress', 'zstd:19'], { cwd })
    const said = collect(child, 'stderr')
    const backups = join(cwd, 'backups/media')
    await until(child, () => existsSync(backups) && readdirSync(backups).length > 0)
    child.kill('SIGINT')
    const [code] = (await once(child, 'close')) as [number | null]
    expect([code, said()]).toEqual([130, expect.stringContaining('interrupted')])
    expect(existsSync(backups) ? readdirSync(backups) : []).toEqual([])
  })
})
