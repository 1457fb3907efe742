import { Leases } from '../../src/catalog/leases.js'
import { nodeEnv } from '../../src/env/node-env.js'
import { localDriver } from '../../src/storages/local/driver.js'
import { s3Driver } from '../../src/storages/s3/driver.js'

/**
 * A program of its own that holds a lease in a storage until it is ended: `lease-holder.ts '{"driver":"local",…}' TTL`. It says when
 * it holds it.
 */
const [settings = '{}', ttl = '1000'] = process.argv.slice(2)
const { driver, ...own } = JSON.parse(settings) as { readonly driver: string }
const where = { name: 'main', baseDirectory: '/' }
const storage = await (driver === 's3' ? s3Driver : localDriver).open(own, where)
const cx = { env: nodeEnv(), signal: new AbortController().signal, emit: () => undefined }
const leases = new Leases(storage, { ttlMs: Number(ttl) })
const lease = await leases.holdAlone(cx, { kind: 'prune', backups: [] })
process.stdout.write('held\n')
process.stdin.on('end', () => void lease.release().then(() => storage.close())).resume()
