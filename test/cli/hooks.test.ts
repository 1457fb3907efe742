import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { built, documentOf, holdfast, project } from './command-line.js'

built.describe('shell commands as hooks', () => {
  it('get the event, without the manifest growing into variables, and what they print is shown', async () => {
    const cwd = await project({
      hooks: {
        afterBackup: ['cat > event.json', 'echo "$HOLDFAST_EVENT $HOLDFAST_EVENT_DATABASE_ALIAS is safe"'],
      },
    })
    const ended = await holdfast(['backup'], { cwd })
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain('hook afterBackup: afterBackup shop is safe\n')
    const event = JSON.parse(readFileSync(join(cwd, 'event.json'), 'utf8')) as Record<string, unknown>
    expect(Object.keys(event).sort()).toEqual(
      ['connector', 'database', 'filename', 'manifest', 'server', 'storage'].sort(),
    )
  })

  it('veto with their status', async () => {
    const cwd = await project({ hooks: { beforeBackup: 'echo not on a Friday >&2; exit 1' } })
    const ended = await holdfast(['backup'], { cwd })
    expect(ended).toMatchObject({ code: 8, stdout: '' })
    expect(ended.stderr).toMatch(/the hook beforeBackup failed: .*not on a Friday \[refused\.hook\]/u)
    expect(existsSync(join(cwd, 'backups'))).toBe(false)
  })

  it('fail the command after the backup, which stays and is shown', async () => {
    const cwd = await project({ hooks: { afterBackup: 'exit 1' } })
    const ended = await holdfast(['backup'], { cwd })
    expect(ended.code).toBe(3)
    expect(ended.stdout).toContain('.sqlite3.zst')
    expect(ended.stderr).toMatch(
      /error: shop: the backup is complete; the hook afterBackup failed: .* ended with status 1 \[hook\.failed\]/u,
    )
    const json = await holdfast(['backup', '--json'], { cwd })
    expect(json.code).toBe(3)
    expect(documentOf(json)).toMatchObject({
      outcomes: [{ ok: false, error: { code: 'hook.failed' } }],
    })
    expect((await holdfast(['verify'], { cwd })).code).toBe(0)
  })

  it('are warned of with report, and the command succeeds', async () => {
    const cwd = await project({ hooks: { afterBackup: { run: 'exit 1', onError: 'report' } } })
    const ended = await holdfast(['backup'], { cwd })
    expect(ended.code).toBe(0)
    expect(ended.stderr).toMatch(/^warning: the hook afterBackup failed: .* ended with status 1\n$/mu)
  })
})
