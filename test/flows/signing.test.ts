import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { HoldfastConfig } from '../../src/config/config.js'
import type { Holdfast } from '../../src/holdfast.js'
import { privateKeyOf } from '../../src/signing/keys.js'
import { Signing } from '../../src/signing/signing.js'
import { needsTool } from '../servers/needs.js'
import { contentOf, execute, filesBelow, holdfastIn, makeShop, resultOf, testFolder } from './workbench.js'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const otherKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const config: HoldfastConfig = {
  databases: { shop: 'sqlite:./shop.sqlite3' },
  sign: { key },
  retention: { last: 2 },
}

/** A shop with so many signed backups: their ids, oldest first. */
async function signedShop(backups: number, more: HoldfastConfig = {}) {
  const folder = await testFolder()
  makeShop(join(folder, 'shop.sqlite3'), 5)
  const hf = await holdfastIn(folder, { ...config, ...more })
  const ids: string[] = []
  for (let run = 0; run < backups; run++) ids.push(resultOf(await hf.backup()).id)
  const fileOf = (name: string) => join(folder, 'backups/shop', name)
  const manifestOf = (index: number) => fileOf(`${ids[index] ?? ''}.manifest.json`)
  return { folder, hf, ids, fileOf, manifestOf, chain: fileOf('signed.chain.json') }
}

/** What verify finds: codes and messages. */
async function findings(hf: Holdfast): Promise<readonly string[]> {
  const { results } = await hf.verify({ all: true })
  return results.flatMap((each) => (each.ok ? [] : [`${each.error.code}: ${each.error.message}`]))
}

function edit(file: string, change: (document: Record<string, unknown>) => void): void {
  const document = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  change(document)
  writeFileSync(file, JSON.stringify(document))
}

describe('signed backups', () => {
  it('are numbered and name the one before; list and show say what the signature is worth', async () => {
    const { folder, hf, ids } = await signedShop(2)
    const { backups } = await hf.list()
    expect(backups.map(({ signature, manifest }) => [signature, manifest.chain?.sequence])).toEqual([
      ['valid', 2],
      ['valid', 1],
    ])
    expect(backups[0]?.manifest.chain?.previous.map(({ id }) => id)).toEqual([ids[0]])
    expect(await findings(hf)).toEqual([])
    const worth = async (sign: HoldfastConfig['sign']) => {
      const other = await holdfastIn(folder, {
        ...config,
        ...(sign === undefined ? { sign: { publicKeys: [publicPem] } } : { sign }),
      })
      return (await other.show({})).signature
    }
    expect(await worth(undefined)).toBe('valid')
    expect(await worth({ key: otherKey })).toBe('foreign')
    expect(await worth({ key: otherKey, publicKeys: [publicPem] })).toBe('valid')
    const { sign: _, ...unsigned } = config
    expect((await (await holdfastIn(folder, unsigned)).show({})).signature).toBe('unchecked')
  })

  it('the key is a text, or a file beside the configuration', async () => {
    const { folder, hf, ids } = await signedShop(1)
    writeFileSync(join(folder, 'sign.pem'), key)
    const other = await holdfastIn(folder, { ...config, sign: { key: './sign.pem' } })
    const second = resultOf(await other.backup())
    expect(second.backup?.manifest.chain?.previous.map(({ id }) => id)).toEqual(ids)
    expect(await findings(hf)).toEqual([])
    await expect(holdfastIn(folder, { ...config, sign: { key: './nothing.pem' } })).rejects.toMatchObject({
      code: 'key.invalid',
      message: 'sign.key (the configuration) is neither a key in PEM nor a file that can be read (ENOENT)',
    })
  })

  it('verify tells of any that was removed: one in the middle, the newest, all of them', async () => {
    const { hf, ids, manifestOf, folder } = await signedShop(4)
    const gone = (index: number, namer: string) =>
      `integrity.chain: backup ${ids[index] ?? ''} of shop, which ${namer} names, is gone, and prune did not remove it`
    rmSync(manifestOf(1))
    expect(await findings(hf)).toEqual([gone(1, `backup ${ids[2] ?? ''}`)])
    rmSync(manifestOf(3))
    expect(await findings(hf)).toEqual([gone(1, `backup ${ids[2] ?? ''}`), gone(3, 'the chain')])
    // The next backup does not cover it up.
    resultOf(await hf.backup())
    expect((await findings(hf)).length).toBe(2)
    const manifests = filesBelow(folder).filter((name) => name.endsWith('.manifest.json'))
    for (const name of manifests) rmSync(join(folder, name))
    expect((await hf.list()).damaged.map(({ error }) => error.code)).toEqual(['integrity.chain'])
  })

  it('FAILURES 18: verify tells of any that was changed, replaced or put in another place', async () => {
    const { hf, ids, manifestOf, fileOf } = await signedShop(3)
    const before = readFileSync(manifestOf(1))
    edit(manifestOf(1), (manifest) => (manifest['server'] = 'elsewhere'))
    expect(await findings(hf)).toEqual([
      `integrity.chain: the manifest of backup ${ids[1] ?? ''} of shop is not the one that backup ${ids[2] ?? ''} names: it was replaced`,
      `integrity.signature: backup ${ids[1] ?? ''} was changed after it was signed`,
    ])
    edit(manifestOf(1), (manifest) => delete manifest['signature'])
    expect((await findings(hf))[1]).toBe(
      `integrity.signature: backup ${ids[1] ?? ''} is not signed, though backups of shop are since ${ids[0] ?? ''}`,
    )
    writeFileSync(manifestOf(1), before)
    // Two that change places.
    copyFileSync(manifestOf(0), fileOf('kept'))
    copyFileSync(manifestOf(1), manifestOf(0))
    copyFileSync(fileOf('kept'), manifestOf(1))
    expect((await findings(hf)).map((each) => each.split(':')[0])).toEqual([
      'integrity.manifest',
      'integrity.manifest',
    ])
  })

  it('a forged backup is not restored, is none in the eyes of retention, and an honest one is restored instead', async () => {
    const { folder, hf, ids, fileOf, manifestOf } = await signedShop(1)
    const content = contentOf(join(folder, 'shop.sqlite3'))
    const forged = '29991231T235959999Z-forged'
    copyFileSync(manifestOf(0), fileOf(`${forged}.manifest.json`))
    edit(fileOf(`${forged}.manifest.json`), (manifest) => {
      manifest['id'] = forged
      delete manifest['signature']
    })
    await expect(hf.restore({ confirm: true })).rejects.toMatchObject({ code: 'integrity.signature' })
    expect(contentOf(join(folder, 'shop.sqlite3'))).toBe(content)
    execute(join(folder, 'shop.sqlite3'), 'DELETE FROM orders')
    const own = readFileSync(manifestOf(0))
    edit(manifestOf(0), (manifest) => (manifest['server'] = 'elsewhere'))
    const artifact = filesBelow(join(folder, 'backups')).find((name) => name.endsWith('.zst')) ?? ''
    await expect(
      hf.restore({ backup: join(folder, 'backups', artifact), confirm: true }),
    ).rejects.toMatchObject({
      code: 'integrity.signature',
    })
    writeFileSync(manifestOf(0), own)
    await hf.restore({ backup: ids[0] ?? '', confirm: true })
    expect(contentOf(join(folder, 'shop.sqlite3'))).toBe(content)
    const { decisions } = await hf.prune({ dryRun: true })
    expect(decisions.find(({ backup }) => backup.manifest.id === ids[0])?.reasons).toContain(
      'the newest good backup',
    )
  })

  it('prune leaves a sound chain, in any order, and removal beside it is found all the same', async () => {
    const { hf, ids, manifestOf } = await signedShop(5, {
      retention: { keep: ({ chain }) => (chain?.sequence ?? 0) % 2 === 1 },
    })
    expect((await hf.prune()).removed.length).toBe(2)
    expect(await findings(hf)).toEqual([])
    ids.push(resultOf(await hf.backup({ prune: true })).id)
    ids.push(resultOf(await hf.backup({ prune: true })).id)
    expect(await findings(hf)).toEqual([])
    rmSync(manifestOf(2))
    expect(await findings(hf)).toEqual([
      expect.stringContaining(`backup ${ids[2] ?? ''} of shop, which backup ${ids[3] ?? ''} names, is gone`),
    ])
  })

  it('without the key nothing signed is pruned, and nothing goes', async () => {
    const { folder } = await signedShop(3)
    const { sign: _, ...unsigned } = config
    for (const sign of [{}, { sign: { publicKeys: [publicPem] } }]) {
      const other = await holdfastIn(folder, { ...unsigned, ...sign })
      await expect(other.prune()).rejects.toMatchObject({ code: 'key.missing' })
      expect((await other.list()).backups.length).toBe(3)
    }
  })

  it('a lost record of the chain is told of, also after the next backup, until it is accepted', async () => {
    const { hf, chain } = await signedShop(2)
    rmSync(chain)
    expect(await findings(hf)).toEqual([
      'integrity.chain: the record of the chain of shop is missing, though its backups are signed',
    ])
    const third = resultOf(await hf.backup())
    expect(third.backup?.manifest.chain?.sequence).toBe(3)
    expect(await findings(hf)).toEqual([
      expect.stringMatching(/^integrity\.chain: shop: on .+ the record of the chain was missing$/u),
    ])
    await hf.prune({ acceptMissing: true })
    expect(await findings(hf)).toEqual([])
  })

  it('what is known to be lost is accepted, and nothing else', async () => {
    const { hf, ids, manifestOf } = await signedShop(4, { retention: {} })
    rmSync(manifestOf(1))
    const { accepted } = await hf.prune({ acceptMissing: true })
    expect(accepted).toEqual([{ storage: 'main', database: 'shop', id: ids[1] }])
    expect(await findings(hf)).toEqual([])
    rmSync(manifestOf(2))
    expect((await findings(hf)).length).toBe(1)
  })

  it('backups from before signing began are as good as ever; later ones without a signature are not', async () => {
    const folder = await testFolder()
    makeShop(join(folder, 'shop.sqlite3'), 5)
    const { sign: _, ...unsigned } = config
    const plain = await holdfastIn(folder, unsigned)
    resultOf(await plain.backup())
    const hf = await holdfastIn(folder, config)
    resultOf(await hf.backup())
    expect(await findings(hf)).toEqual([])
    const late = resultOf(await plain.backup())
    expect(await findings(hf)).toEqual([expect.stringContaining(`backup ${late.id} is not signed, though`)])
  })

  it('the report of a drill is signed as well, and what is not to be trusted is not restored for one', async () => {
    const { folder, hf, manifestOf } = await signedShop(1)
    const { results } = await hf.drill()
    const [report = ''] = results[0]?.keys ?? []
    const document: unknown = JSON.parse(readFileSync(join(folder, 'backups', report), 'utf8'))
    expect(new Signing(privateKeyOf(key, undefined, 'key')).check(document)).toBe('valid')
    edit(manifestOf(0), (manifest) => (manifest['server'] = 'elsewhere'))
    expect((await hf.drill()).results).toMatchObject([
      { ok: false, error: { code: 'integrity.signature' }, keys: [] },
    ])
  })

  it('each storage has a chain of its own', async () => {
    const { hf } = await signedShop(2, { storages: { main: './backups', offsite: './offsite' } })
    const [one, other] = resultOf(await hf.backup()).copies.map(({ manifest }) => manifest.chain)
    expect(one?.sequence).toBe(3)
    expect(one?.previous[0]?.sha256).not.toBe(undefined)
    expect(other?.sequence).toBe(3)
    expect(await findings(hf)).toEqual([])
  })

  needsTool('openssl', 'python3').it('a signature and a link are checked by hand, with openssl', async () => {
    const { folder, ids, fileOf } = await signedShop(2)
    writeFileSync(join(folder, 'sign.pub'), publicPem)
    const canonical =
      'import json,sys; d=json.load(sys.stdin); del d["signature"]; ' +
      'sys.stdout.write(json.dumps(d, sort_keys=True, separators=(",", ":"), ensure_ascii=False))'
    const manifest = fileOf(`${ids[1] ?? ''}.manifest.json`)
    const steps = (file: string) => `
      set -e
      python3 -c '${canonical}' < '${file}' > signed
      python3 -c 'import json,sys; print(json.load(sys.stdin)["signature"]["value"])' < '${file}' | base64 -d > signature
      openssl pkeyutl -verify -pubin -inkey sign.pub -rawin -in signed -sigfile signature`
    const run = (file: string) => execFileSync('sh', ['-c', steps(file)], { cwd: folder }).toString()
    expect(run(manifest)).toContain('Signature Verified Successfully')
    expect(run(fileOf('signed.chain.json'))).toContain('Signature Verified Successfully')
    const first = execFileSync('sha256sum', [fileOf(`${ids[0] ?? ''}.manifest.json`)]).toString()
    expect(readFileSync(manifest, 'utf8')).toContain(first.slice(0, 64))
    edit(manifest, (document) => (document['server'] = 'elsewhere'))
    expect(() => run(manifest)).toThrow()
    expect(readdirSync(folder)).toContain('signature')
  })
})
