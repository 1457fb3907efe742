const units: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
}

/** How many bytes `10MB`, `512KiB` or `1.5 GB` are, and `/s` where a rate is meant; `undefined` for what is none. */
export function bytesOf(text: string, per: '' | '/s' = ''): number | undefined {
  const found = /^([1-9]\d{0,5}(?:\.\d)?) ?([KMG]?i?B)(\/s)?$/iu.exec(text)
  const unit = units[found?.[2]?.toLowerCase() ?? '']
  if (found === null || unit === undefined || (found[3] ?? '') !== per) return undefined
  return Math.floor(Number(found[1]) * unit)
}
