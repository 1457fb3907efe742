import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take longest: small ones, mostly, with the contract of connectors in them. */
const longest =
  /(?:connectors|\.contract|\/pg-[a-z-]+|guides|scale|lock-page|excludes|tool-secrets|restored-parts|dev-servers|fingerprints|swap-\w+|ftp\/storage)\.test\.ts$/u

/**
 * Begins with the files that take longest, so that at the end no worker goes on alone. Vitest does so by itself only from the
 * second run on; in the first it takes large files for long ones.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => longest.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
