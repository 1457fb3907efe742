import { expect, it } from 'vitest'
import { dumpRequest } from '../../testing/connector-contract.js'
import { pgDump } from './connectors/pg-dump.js'
import { pgDumpCustom } from './connectors/pg-dump-custom.js'
import { connectorSettings, testContext } from './test-fixture.js'
import { refuseContradictions } from './tool-args.js'

it.each([
  [{ toolArgs: ['--jobs=4'] }, /^toolArgs --jobs=4 does not go with singleTransaction: /u],
  [{ toolArgs: ['-j', '4'] }, /^toolArgs -j does not go with singleTransaction: /u],
  [{ toolArgs: ['-j4'], singleTransaction: false }, /^toolArgs -j4 does not go with connector: /u],
  [{ toolArgs: ['--no-sync', '-Fd'] }, /^toolArgs -Fd does not go with connector: /u],
  [{ toolArgs: ['--file=x'] }, /^toolArgs --file=x does not go with connector: /u],
  [{ toolArgs: ['--host=other'] }, /^toolArgs --host=other does not go with host: /u],
  [{ toolArgs: ['-W'] }, /^toolArgs -W does not go with password: /u],
  [{ ifExists: true, drop: false }, /^ifExists does not go with drop: false: /u],
])('%j is refused, naming both', (options, message) => {
  expect(() => refuseContradictions(options, false)).toThrow(message)
})

it('what goes together is taken; plain SQL takes less', () => {
  const toolArgs = ['--no-comments', '--extra-float-digits=0', '--compress=5', '--create', '--filter=x']
  expect(() => refuseContradictions({ toolArgs, singleTransaction: true, drop: false }, false)).not.toThrow()
  expect(() => refuseContradictions({ toolArgs: ['--compress=5'] }, true)).toThrow(/compress/u)
  expect(() => refuseContradictions({ toolArgs: ['-C'] }, true)).toThrow(/connector/u)
})

it('before anything starts: no server is asked', async () => {
  const connection = {
    engine: 'postgresql',
    name: 'x',
    host: 'nowhere.invalid',
    user: 'u',
    parameters: {},
  }
  for (const factory of [pgDump, pgDumpCustom]) {
    const connector = factory.create(connectorSettings(connection, { options: { toolArgs: ['-j2'] } }))
    await expect(connector.inspect(testContext())).rejects.toMatchObject({ code: 'usage.invalid' })
    await expect(connector.dump(testContext(), dumpRequest())).rejects.toMatchObject({
      code: 'usage.invalid',
    })
  }
})
