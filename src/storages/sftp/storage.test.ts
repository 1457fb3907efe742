import { afterAll, beforeAll, expect, it } from 'vitest'
import { needsTool } from '../../../test/servers/needs.js'
import { startSshd, type SshServer } from '../../../test/servers/sshd.js'
import { storageContract } from '../../testing/storage-contract.js'
import type { Storage } from '../storage.js'
import { sftpDriver } from './driver.js'

const needs = needsTool('sshd', 'ssh-keygen', 'ssh-agent')
const where = { name: 'main', baseDirectory: '/nowhere' }

needs.describe('the sftp storage', () => {
  let server: SshServer
  beforeAll(async () => {
    server = await startSshd()
  })
  afterAll(() => server?.stop())

  const openAt = (path: string, more: Record<string, unknown> = {}): Promise<Storage> => {
    const { host, port, user, keyFile, hostKey } = server
    return sftpDriver.open(
      { driver: 'sftp', host, port, user, path, privateKeyFile: keyFile, hostKey, ...more },
      where,
    )
  }
  const paths = new Map<Storage, string>()
  const fixture = {
    async open() {
      const path = await server.newFolder()
      const storage = await openAt(path)
      paths.set(storage, path)
      return storage
    },
    reopen: (storage: Storage) => openAt(paths.get(storage) ?? ''),
  }
  for (const check of storageContract(fixture)) it(check.name, () => check.run())

  it('x', () => expect(1).toBe(1))
})
