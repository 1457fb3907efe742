import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import { HoldfastError } from '../../src/errors.js'
import type { RunReport } from '../../src/hooks/run-report.js'
import {
  closedPort,
  hang,
  httpReceiver,
  mailServer,
  silentServer,
  type Received,
} from '../../src/hooks/notifiers/test-receivers.js'
import { holdfastIn, listener, makeShop, testFolder } from './workbench.js'

/** Three databases, of which the one in the middle is not there. */
async function threeDatabases(): Promise<{ folder: string; databases: Record<string, string> }> {
  const folder = await testFolder()
  makeShop(join(folder, 'one.sqlite3'), 20)
  makeShop(join(folder, 'three.sqlite3'), 20)
  const names = ['one', 'two', 'three']
  return { folder, databases: Object.fromEntries(names.map((name) => [name, `sqlite:./${name}.sqlite3`])) }
}

function reports(received: readonly Received[]): readonly RunReport[] {
  return received.map(({ body }) => JSON.parse(body) as RunReport)
}

const webhook = (url: string) => ({ kind: 'webhook', url, retries: 0 }) as const

describe('doctor', () => {
  it('says of each notifier whether it can be reached, and sends nothing', async () => {
    const { folder, databases } = await threeDatabases()
    const { port, mails } = await mailServer({ allowInsecureAuth: true })
    const web = await httpReceiver()
    const silent = await silentServer()
    const mail = {
      kind: 'email',
      from: 'a@b.c',
      to: 'ops@b.c',
      tls: 'none',
      host: '127.0.0.1',
      port,
    } as const
    const hf = await holdfastIn(folder, {
      databases,
      notify: {
        admins: { ...mail, user: 'me', password: 'open sesame' },
        stranger: { ...mail, user: 'me', password: 'wrong phrase' },
        silent: { ...mail, port: silent.port, timeoutMs: 300 },
        hook: webhook(`${web.url}/secret-path`),
        slack: { kind: 'slack', url: `http://127.0.0.1:${await closedPort()}/secret-path` },
        dead: { kind: 'ping', url: `${web.url}/secret-path` },
      },
    })
    const { checks } = await hf.doctor()
    const found = new Map(checks.map(({ subject, ...check }) => [subject, check]))
    expect(found.get('notifier admins')).toMatchObject({
      status: 'ok',
      message: '127.0.0.1 has taken the login; nothing was sent',
    })
    expect(found.get('notifier stranger')).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/^127\.0\.0\.1: /u) as string,
    })
    expect(found.get('notifier silent')).toMatchObject({ status: 'error', error: { code: 'tool.timeout' } })
    expect(found.get('notifier hook')).toMatchObject({
      status: 'ok',
      message: `127.0.0.1:${web.port} takes connections; nothing was sent`,
    })
    expect(found.get('notifier slack')).toMatchObject({
      status: 'error',
      error: { code: 'hook.failed' },
      message: expect.stringContaining('ECONNREFUSED') as string,
    })
    expect(found.get('notifier dead')).toMatchObject({ status: 'ok' })
    expect([mails, web.received]).toEqual([[], []])
    expect(JSON.stringify(checks)).not.toMatch(/secret-path|open sesame|wrong phrase/u)
  })
})

describe('a backup of several databases', () => {
  it('is one message for each notifier, and one file of metrics', async () => {
    const { folder, databases } = await threeDatabases()
    const { port, mails } = await mailServer()
    const web = await httpReceiver()
    const hf = await holdfastIn(folder, {
      databases,
      notify: {
        admins: { kind: 'email', url: `smtp://127.0.0.1:${port}`, from: 'a@b.c', to: 'ops@b.c' },
        hook: webhook(web.url),
        dead: { kind: 'ping', url: `${web.url}/dead` },
      },
      metricsFile: 'holdfast.prom',
    })
    expect((await hf.backup()).map(({ ok }) => ok)).toEqual([true, false, true])
    expect(mails.length).toBe(1)
    expect(mails[0]?.text).toMatch(/^Subject: \[test\] backup partly failed: 1 of 3 databases$/mu)
    expect(unfolded(mails[0]?.text ?? '')).toContain('[database.not-found]')
    const paths = web.received.map(({ path }) => path)
    expect(paths[0]).toBe('/dead/start')
    expect(paths.slice(1).sort()).toEqual(['/', '/dead/fail'])
    const [report] = reports(web.received.filter(({ path }) => path === '/'))
    expect(report).toMatchObject({
      operation: 'backup',
      server: 'test',
      result: 'partial',
      subjects: [
        { name: 'one', result: 'success', storages: [{ name: 'main', ok: true }] },
        { name: 'two', result: 'failure', storages: [{ name: 'main', ok: false }] },
        { name: 'three', result: 'success' },
      ],
    })
    const metrics = readFileSync(join(folder, 'holdfast.prom'), 'utf8')
    for (const [name, result] of [
      ['one', 1],
      ['two', 0],
      ['three', 1],
    ] as const)
      expect(metrics).toContain(
        `holdfast_backup_result{server="test",database="${name}",storage="main"} ${result}`,
      )
  })

  it('that all succeed is a success', async () => {
    const { folder, databases } = await threeDatabases()
    const web = await httpReceiver()
    const hf = await holdfastIn(folder, { databases, notify: { hook: webhook(web.url) } })
    const outcomes = await hf.backup({ databases: ['one', 'three'] })
    const [report] = reports(web.received)
    expect(report).toMatchObject({ result: 'success', subjects: [{ name: 'one' }, { name: 'three' }] })
    expect(report?.subjects.map(({ id }) => id)).toEqual(
      outcomes.map((outcome) => (outcome.ok ? outcome.result.id : undefined)),
    )
  })

  it('in one storage and not in another tells which', async () => {
    const { folder } = await threeDatabases()
    const web = await httpReceiver()
    const hf = await holdfastIn(folder, {
      databases: { one: 'sqlite:./one.sqlite3' },
      // A file is in the way of the folder.
      storages: { main: './backups', offsite: './three.sqlite3' },
      notify: { hook: webhook(web.url) },
    })
    await hf.backup()
    expect(reports(web.received)).toMatchObject([
      {
        result: 'partial',
        subjects: [
          {
            name: 'one',
            result: 'partial',
            error: { code: 'backup.partial' },
            storages: [
              { name: 'main', ok: true },
              { name: 'offsite', ok: false, error: { code: expect.stringMatching(/^storage\./u) as string } },
            ],
          },
        ],
      },
    ])
  })
})

describe('a run that ends before its work', () => {
  it('is a failure too, of all that it was to do', async () => {
    const { folder, databases } = await threeDatabases()
    const web = await httpReceiver()
    const hf = await holdfastIn(folder, {
      databases,
      notify: { hook: webhook(web.url) },
      metricsFile: 'm.prom',
    })
    const code = 'usage.unknown-storage'
    await expect(hf.backup({ databases: ['one', 'three'], storage: 'nowhere' })).rejects.toMatchObject({
      code,
    })
    expect(reports(web.received)).toMatchObject([
      {
        result: 'failure',
        error: { code },
        subjects: [
          { name: 'one', result: 'failure' },
          { name: 'three', result: 'failure' },
        ],
      },
    ])
    const metrics = readFileSync(join(folder, 'm.prom'), 'utf8')
    expect(metrics).toContain('holdfast_backup_result{server="test",database="one",storage="main"} 0')
    // A name that was misspelt would be a series for ever.
    expect(metrics).not.toContain('nowhere')
  })

  it('FAILURES 6: because it was interrupted tells what was done till then', async () => {
    const { folder, databases } = await threeDatabases()
    const web = await httpReceiver()
    const stop = new AbortController()
    const hf = await holdfastIn(folder, { databases, notify: { hook: webhook(web.url) } })
    hf.on('beforeBackup', ({ database }) => {
      if (database.alias === 'three') stop.abort(new HoldfastError('interrupted.sigint', 'interrupted'))
    })
    const run = hf.backup({ databases: ['one', 'three'], signal: stop.signal })
    await expect(run).rejects.toMatchObject({ code: 'interrupted.sigint' })
    expect(reports(web.received)).toMatchObject([
      {
        result: 'partial',
        error: { code: 'interrupted.sigint' },
        subjects: [
          { name: 'one', result: 'success' },
          { name: 'three', result: 'failure' },
        ],
      },
    ])
  })
})

describe('restore, verify and prune', () => {
  it('tell as they are to: verify and prune of failures alone', async () => {
    const { folder } = await threeDatabases()
    const web = await httpReceiver()
    const hf = await holdfastIn(folder, {
      databases: { one: 'sqlite:./one.sqlite3' },
      retention: { last: 1 },
      notify: {
        hook: webhook(web.url),
        all: { ...webhook(`${web.url}/all`), operations: ['verify', 'prune'] },
      },
      metricsFile: 'm.prom',
    })
    await hf.backup()
    await hf.backup()
    await hf.verify()
    await hf.prune()
    await hf.restore({ confirm: true })
    const told = (path: string) => reports(web.received.filter((each) => each.path === path))
    expect(told('/').map(({ operation, result }) => [operation, result])).toEqual([
      ['backup', 'success'],
      ['backup', 'success'],
      ['restore', 'success'],
    ])
    expect(told('/all')).toMatchObject([
      {
        operation: 'verify',
        result: 'success',
        subjects: [{ name: 'one', storages: [{ name: 'main', ok: true }] }],
      },
      { operation: 'prune', result: 'success', subjects: [{ name: 'one', removed: 1 }] },
    ])
    const metrics = readFileSync(join(folder, 'm.prom'), 'utf8')
    // Its orders, and what else is in it.
    expect(metrics).toMatch(/^holdfast_backup_rows\{server="test",database="one",storage="main"\} [1-9]/mu)
    for (const operation of ['backup', 'verify', 'prune', 'restore'])
      expect(metrics).toContain(`holdfast_${operation}_result{server="test",database="one",storage="main"} 1`)
  })

  it('FAILURES 6: a verify that is interrupted tells what it had read till then', async () => {
    const { folder } = await threeDatabases()
    const web = await httpReceiver()
    const stop = new AbortController()
    const hf = await holdfastIn(folder, {
      databases: { one: 'sqlite:./one.sqlite3', three: 'sqlite:./three.sqlite3' },
      notify: { hook: { ...webhook(web.url), operations: ['verify'] } },
    })
    await hf.backup()
    hf.on('afterVerify', () => stop.abort(new HoldfastError('interrupted.sigint', 'interrupted')))
    await expect(hf.verify({ signal: stop.signal })).rejects.toMatchObject({ code: 'interrupted.sigint' })
    expect(reports(web.received)).toMatchObject([
      {
        result: 'partial',
        error: { code: 'interrupted.sigint' },
        subjects: [
          { name: 'three', result: 'success', id: expect.any(String) as string },
          { name: 'one', result: 'failure' },
        ],
      },
    ])
  })

  it('a damaged backup is told of', async () => {
    const { folder } = await threeDatabases()
    const web = await httpReceiver()
    const { storage, hf } = await damagedBackup(folder, { notify: { hook: webhook(web.url) } })
    await hf.verify()
    expect(reports(web.received).filter(({ operation }) => operation === 'verify')).toMatchObject([
      {
        result: 'failure',
        subjects: [
          { name: 'one', storages: [{ name: storage, ok: false }], error: { code: 'integrity.checksum' } },
        ],
      },
    ])
  })

  it('nobody is told of a dry run, of looking, and of a no', async () => {
    const { folder } = await threeDatabases()
    const hf = await holdfastIn(folder, { databases: { one: 'sqlite:./one.sqlite3' } })
    await hf.backup()
    const web = await httpReceiver()
    const told = await holdfastIn(folder, {
      databases: { one: 'sqlite:./one.sqlite3' },
      notify: { hook: { ...webhook(web.url), operations: ['backup', 'restore', 'verify', 'prune'] } },
    })
    await told.restore({ dryRun: true })
    await told.prune({ dryRun: true })
    await told.list()
    await told.show()
    await told.doctor()
    await expect(told.restore()).rejects.toMatchObject({ code: 'refused.not-confirmed' })
    expect(web.received).toEqual([])
  })
})

describe('a notifier that fails or hangs, and metrics that cannot be written', () => {
  it('are warnings, and the backup is one', async () => {
    const { folder } = await threeDatabases()
    const stuck = await silentServer()
    const web = await httpReceiver(hang)
    const { emit, notices } = listener()
    const config: HoldfastConfig = {
      databases: { one: 'sqlite:./one.sqlite3' },
      notify: {
        mail: {
          kind: 'email',
          url: `smtp://127.0.0.1:${stuck.port}`,
          from: 'a@b.c',
          to: 'd@e.f',
          timeoutMs: 300,
        },
        ping: { kind: 'ping', url: web.url, timeoutMs: 300 },
      },
      metricsFile: 'no/such/folder.prom',
    }
    const hf = await holdfastIn(folder, config, { emit })
    expect(await hf.backup()).toMatchObject([{ ok: true }])
    expect(notices.filter((each) => each.includes('notifier')).length).toBeGreaterThanOrEqual(2)
    expect(notices.some((each) => each.startsWith('the metrics were not written: ENOENT'))).toBe(true)
    expect(await hf.verify()).toMatchObject({ results: [{ ok: true }] })
  })
})

describe('FAILURES 71: nothing secret leaves', () => {
  it('by any notifier, in any of its texts', async () => {
    const planted = {
      password: 'hunter22-äö/x',
      backup: 'backup-secret-7',
      admin: 'admin-secret-7',
      passphrase: 'passphrase-secret-7',
      variable: 'variable-secret-7',
      mail: 'mail-secret-7',
      hook: 'hook-secret-7',
      header: 'header-secret-7',
      slack: 'slack-path-secret-7',
      typed: 'typed-secret-7',
      key: 'AGE-SECRET-KEY-1QQPQZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQQPQZRY9X8GF2TVDW0S3',
      pem: 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw',
      query: 'query-secret-7',
    }
    const { folder } = await threeDatabases()
    const { port, mails } = await mailServer({
      allowInsecureAuth: true,
      onAuth: (_auth, _session, done) => done(null, { user: 'me' }),
    })
    const web = await httpReceiver()
    const at = `http://127.0.0.1:${web.port}`
    const { emit, notices } = listener()
    const hf = await holdfastIn(
      folder,
      {
        databases: {
          one: 'sqlite:./one.sqlite3',
          far: {
            url: `postgres://me:${encodeURIComponent(planted.password)}@127.0.0.1:1/x`,
            backup: { password: planted.backup },
            adminUser: 'root',
            adminPassword: planted.admin,
            env: { PGPASSWORD: planted.variable },
          },
        },
        storages: { main: { driver: 'local', path: './backups' } },
        encrypt: { age: { passphrase: planted.passphrase } },
        notify: {
          mail: {
            kind: 'email',
            url: `smtp://me:${planted.mail}@127.0.0.1:${port}`,
            from: 'a@b.c',
            to: 'd@e.f',
          },
          hook: {
            kind: 'webhook',
            url: `${at}/hook`,
            secret: planted.hook,
            headers: { 'X-Key': planted.header },
          },
          chat: { kind: 'slack', url: `${at}/${planted.slack}` },
          ping: { kind: 'ping', url: `${at}/ping` },
        },
      },
      { emit },
    )
    const { query, pem, ...known } = planted
    hf.on('beforeBackup', ({ database }) => {
      if (database.alias !== 'one') return
      throw new Error(
        [
          ...Object.values(known),
          encodeURIComponent(planted.password),
          `https://h/x?access_token=${query}`,
          `-----BEGIN PRIVATE KEY-----\n${pem}\n-----END PRIVATE KEY-----`,
        ].join(' '),
      )
    })
    const typed = `postgres://me:${planted.typed}@127.0.0.1:1/y`
    expect((await hf.backup({ databases: ['one', 'far', typed] })).map(({ ok }) => ok)).toEqual([
      false,
      false,
      false,
    ])
    expect(mails.length).toBe(1)
    expect(web.received.map(({ path }) => path).sort()).toEqual(
      ['/hook', '/ping/fail', '/ping/start', `/${planted.slack}`].sort(),
    )
    // The address is where it goes to; what is said there must not hold it.
    const said = [
      ...web.received.map(({ body }) => body),
      ...mails.map(({ text }) => unfolded(text)),
      ...notices,
    ]
    expect(said.join('\n')).toContain('the hook beforeBackup failed')
    for (const secret of [...Object.values(planted), 'hunter22', encodeURIComponent(planted.password)])
      expect(said.join('\n')).not.toContain(secret)
  })
})

/** A mail's soft line breaks could hide what is looked for. */
function unfolded(mail: string): string {
  return mail.replace(/=\r\n/gu, '')
}

async function damagedBackup(folder: string, config: HoldfastConfig) {
  const hf = await holdfastIn(folder, { databases: { one: 'sqlite:./one.sqlite3' }, ...config })
  const [outcome] = await hf.backup()
  if (outcome?.ok !== true || outcome.result.backup === undefined) throw new Error('no backup')
  const { storage, manifest } = outcome.result.backup
  const key = manifest.parts[0]?.stored.key ?? ''
  const file = join(folder, 'backups', key)
  const bytes = readFileSync(file)
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
  writeFileSync(file, bytes)
  return { storage, hf }
}

it('sets of files are told and counted like databases', async () => {
  const folder = await testFolder()
  for (const name of ['media', 'mail']) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'one.txt'), 'one')
  }
  const web = await httpReceiver()
  const hf = await holdfastIn(folder, {
    files: { media: { source: './media' }, gone: { source: './gone' }, mail: { source: './mail' } },
    notify: { hook: webhook(web.url) },
    metricsFile: 'holdfast.prom',
  })
  expect((await hf.files.backup()).map(({ ok }) => ok)).toEqual([true, false, true])
  await hf.files.restore({ set: 'media', onConflict: 'replace', confirm: true })
  const [backup, restore] = reports(web.received)
  expect(backup).toMatchObject({
    operation: 'files-backup',
    result: 'partial',
    subjects: [
      { kind: 'files', name: 'media', result: 'success' },
      { kind: 'files', name: 'gone', result: 'failure', error: { code: 'storage.not-found' } },
      { kind: 'files', name: 'mail', result: 'success' },
    ],
  })
  expect(restore).toMatchObject({
    operation: 'files-restore',
    result: 'success',
    subjects: [{ kind: 'files', name: 'media', storages: [{ name: 'main', ok: true }] }],
  })
  const metrics = readFileSync(join(folder, 'holdfast.prom'), 'utf8')
  expect(metrics).toMatch(/^holdfast_files_backup_result\{.*"media".*\} 1$/mu)
  expect(metrics).toMatch(/^holdfast_files_backup_result\{.*"gone".*\} 0$/mu)
})
