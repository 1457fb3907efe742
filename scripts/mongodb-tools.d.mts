/** The programs to test MongoDB with. */
export interface MongodbPrograms {
  /** `mongod` or `ferretdb`. */
  readonly server: string
  readonly kind: 'mongod' | 'ferretdb'
  readonly dump: string
  readonly restore: string
  /** The folder of mongodump. */
  readonly tools: string
}
export function mongodbCache(): string
export function mongodbPrograms(): MongodbPrograms | undefined
export function ensureMongodb(): void
