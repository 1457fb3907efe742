import type { Manifest } from '../catalog/manifest.js'

/** What a backup does not hold of its database or files, in words; empty where it holds all. */
export function leftOut({ options }: Manifest): readonly string[] {
  const { include = [], exclude, excludeData, schemas } = options
  return [
    ...(include.length === 0 ? [] : [`only ${include.join(', ')}`]),
    ...(schemas.length === 0 ? [] : [`only the schemas ${schemas.join(', ')}`]),
    ...(exclude.length === 0 ? [] : [`without ${exclude.join(', ')}`]),
    ...(excludeData.length === 0 ? [] : [`without the rows of ${excludeData.join(', ')}`]),
  ]
}

/** Backups that hold the same share of a database, or of files, stand for each other; others do not. */
export function shareOf({ options, purpose }: Manifest): string {
  const { include = [], exclude, excludeData, schemas } = options
  const names = [exclude, excludeData, schemas, include].map((each) => each.toSorted())
  return JSON.stringify(purpose === undefined ? names : [...names, purpose])
}
