import { expect, it, vi } from 'vitest'
import { zstdNative } from './native.js'

it.runIf(process.platform === 'linux')('asks no name server for the hosts of open connections', async () => {
  const report = process.report as NonNullable<typeof process.report> & { excludeNetwork?: boolean }
  const getReport = report.getReport.bind(report)
  const excluded: unknown[] = []
  const spy = vi.spyOn(report, 'getReport').mockImplementation((...args) => {
    excluded.push(report.excludeNetwork)
    return getReport(...args)
  })
  const before = report.excludeNetwork
  try {
    const { compress, decompress } = await zstdNative()
    expect(excluded).toEqual([true])
    expect(report.excludeNetwork).toBe(before)
    expect(await decompress(await compress(Buffer.from('rows'), 3))).toEqual(Buffer.from('rows'))
  } finally {
    spy.mockRestore()
  }
})
