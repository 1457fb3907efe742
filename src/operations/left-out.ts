import type { Manifest } from '../catalog/manifest.js'

/** What a backup does not hold of its database, in words; empty where it holds all. */
export function leftOut({ options }: Manifest): readonly string[] {
  const { exclude, excludeData, schemas } = options
  return [
    ...(schemas.length === 0 ? [] : [`only the schemas ${schemas.join(', ')}`]),
    ...(exclude.length === 0 ? [] : [`without ${exclude.join(', ')}`]),
    ...(excludeData.length === 0 ? [] : [`without the rows of ${excludeData.join(', ')}`]),
  ]
}

/** Backups that hold the same share of a database stand for each other; others do not. */
export function shareOf({ options }: Manifest): string {
  const { exclude, excludeData, schemas } = options
  return JSON.stringify([exclude, excludeData, schemas].map((names) => names.toSorted()))
}
