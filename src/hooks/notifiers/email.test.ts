import { describe, expect, it } from 'vitest'
import { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import { needsTool } from '../../../test/servers/needs.js'
import type { EmailSettings } from './settings.js'
import { certificate, done, mailServer, partly, silentServer, tell } from './test-receivers.js'

function email(port: number, settings: Partial<EmailSettings> = {}): EmailSettings {
  return {
    kind: 'email',
    name: 'admins',
    on: ['success', 'failure'],
    timeoutMs: 10_000,
    host: '127.0.0.1',
    port,
    tls: 'none',
    from: 'backup@example.com',
    to: ['ops@example.com'],
    failureTo: [],
    ...settings,
  }
}

const login = { user: 'me', password: new Secret('open sesame') }
/** Head and body of a mail. */
function parts(mail: { readonly text: string } | undefined): readonly string[] {
  const [head = '', body = ''] = (mail?.text ?? '').split(/\r\n\r\n(.*)/su)
  return [head, printable(body)]
}

/** Quoted-printable decoded. */
function printable(text: string): string {
  return decodeURIComponent(
    text
      .replace(/=\r\n/gu, '')
      .replaceAll('%', '%25')
      .replace(/=([0-9A-F]{2})/gu, '%$1'),
  )
}

const failure = 'the notifier admins (email) has not told of the success: 127.0.0.1: '

describe('e-mail', () => {
  it('is one message of text, with what a person needs', async () => {
    const { port, mails } = await mailServer()
    expect(await tell(partly, email(port))).toEqual([])
    expect(mails.length).toBe(1)
    const [mail] = mails
    expect(mail).toMatchObject({ from: 'backup@example.com', to: ['ops@example.com'], secure: false })
    const [head = '', body = ''] = parts(mail)
    expect(head).toMatch(/^Subject: \[web1\] backup partly failed: 2 of 3 databases$/mu)
    expect(head).toMatch(/^Content-Type: text\/plain; charset=utf-8$/mu)
    expect(head).toMatch(/^Auto-Submitted: auto-generated$/mu)
    for (const text of [
      'FAILED: crm',
      'db1:5432 does not answer [database.unreachable]',
      'check host and port, and that the server runs',
      'PARTLY FAILED: docs',
      'whole in main: docs-web1.archive.zst',
      'done: shop',
      'storage: main, offsite',
      'warning: a table has no primary key',
      '2026-11-20T03:00:00.000Z',
    ])
      expect(body).toContain(text)
    expect(body.indexOf('FAILED: crm')).toBeLessThan(body.indexOf('done: shop'))
  })

  it('of a failure goes to failureTo, with the prefix that is wanted', async () => {
    const { port, mails } = await mailServer()
    const settings = email(port, {
      failureTo: ['duty@example.com', 'boss@example.com'],
      subjectPrefix: 'DB ',
    })
    await tell(partly, settings)
    await tell(done, settings)
    expect(mails.map(({ to }) => to)).toEqual([['duty@example.com', 'boss@example.com'], ['ops@example.com']])
    expect(mails[1]?.text).toMatch(/^Subject: DB backup done: shop$/mu)
  })

  it('is not sent where nobody is to be told', async () => {
    const { port, mails } = await mailServer()
    expect(await tell(done, email(port, { to: [], failureTo: ['duty@example.com'] }))).toEqual([])
    expect(mails).toEqual([])
  })

  it('has no headers of what a name brings along', async () => {
    const { port, mails } = await mailServer()
    const [subject] = done.subjects
    const odd = { ...subject, name: 'shop\r\nBcc: thief@example.com' } as typeof subject & object
    await tell({ ...done, subjects: [odd] }, email(port))
    expect(mails[0]?.to).toEqual(['ops@example.com'])
    const [head, body] = parts(mails[0])
    expect(head).toMatch(/^Subject: \[web1\] backup done: shop Bcc: thief@example.com$/mu)
    for (const text of [head, body]) expect(text).not.toMatch(/^Bcc:/mu)
  })
})

it('of odd signs arrives as it was', async () => {
  const { port, mails } = await mailServer()
  const [subject] = done.subjects
  await tell(
    { ...done, subjects: [{ ...subject, name: 'Bücher – ✓' } as typeof subject & object] },
    email(port),
  )
  const [head = '', body] = parts(mails[0])
  const coded =
    /^Subject: =\?UTF-8\?Q\?(.*)\?=$/mu.exec(head.replace(/\?=\r\n =\?UTF-8\?Q\?/gu, ''))?.[1] ?? ''
  expect(printable(coded.replaceAll('_', ' '))).toBe('[web1] backup done: Bücher – ✓')
  expect(body).toContain('done: Bücher – ✓')
})

describe('a login', () => {
  it('is made with user and password', async () => {
    const { port, mails } = await mailServer({ authOptional: false, allowInsecureAuth: true })
    expect(await tell(done, email(port, login))).toEqual([])
    expect(mails).toMatchObject([{ user: 'me' }])
  })

  it('that is refused is a warning', async () => {
    const { port, mails } = await mailServer({ allowInsecureAuth: true })
    const [warning] = await tell(done, email(port, { user: 'me', password: new Secret('wrong') }))
    expect(warning?.startsWith(`${failure}Invalid login: 535`)).toBe(true)
    expect(mails).toEqual([])
  })

  it('is not left out where the server offers none', async () => {
    const { port, mails } = await mailServer({ disabledCommands: ['AUTH'] })
    const [warning] = await tell(done, email(port, login))
    expect(warning?.startsWith(failure)).toBe(true)
    expect(mails).toEqual([])
  })
})

needsTool('openssl').describe('FAILURES 76: TLS', () => {
  it('by STARTTLS and from the first byte, with the authority that is named', async () => {
    const { file, key, cert } = await certificate()
    const starttls = await mailServer({ key, cert })
    const implicit = await mailServer({ key, cert, secure: true })
    expect(
      await tell(
        done,
        email(starttls.port, { tls: 'starttls', ca: file, ...login }),
        email(implicit.port, { tls: 'implicit', ca: file, ...login }),
      ),
    ).toEqual([])
    expect([...starttls.mails, ...implicit.mails]).toMatchObject([
      { secure: true, user: 'me' },
      { secure: true, user: 'me' },
    ])
  })

  it('is verified: a certificate that nobody vouches for is refused', async () => {
    const { key, cert } = await certificate()
    const { port, mails } = await mailServer({ key, cert })
    const [warning] = await tell(done, email(port, { tls: 'starttls', ...login }))
    expect(warning).toMatch(/self.signed certificate/u)
    expect(mails).toEqual([])
  })

  it('is not done without where the server offers none', async () => {
    const { port, mails } = await mailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
    const [warning] = await tell(done, email(port, { tls: 'starttls', ...login }))
    expect(warning?.startsWith(failure)).toBe(true)
    expect(mails).toEqual([])
  })
})

describe('FAILURES 8: a mail server that hangs', () => {
  it('is left when the time is over', async () => {
    const { port, gone } = await silentServer()
    expect(await tell(done, email(port, { timeoutMs: 200 }))).toEqual([
      'the notifier admins (email) has not told of the success: it did not end within 200 ms',
    ])
    await gone
  })

  it('is left also in the middle of the message', async () => {
    const { port, mails } = await mailServer({ onData: () => undefined })
    const [warning] = await tell(done, email(port, { timeoutMs: 500 }))
    expect(warning).toContain('it did not end within 500 ms')
    expect(mails).toEqual([])
  })

  it('that refuses the recipient is a warning', async () => {
    const { port } = await mailServer({
      onRcptTo: (_address, _session, refuse) => refuse(new HoldfastError('usage.invalid', 'no such box')),
    })
    const [warning] = await tell(done, email(port))
    expect(warning).toContain('no such box')
  })
})
