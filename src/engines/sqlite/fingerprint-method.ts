/** As it stands in manifests; docs/format.md describes it. */
export const fingerprintMethod = 'sqlite-1'
