import { defineConfig } from 'vitest/config'
import { SkipReport } from './test/reporters/skip-report.js'
import { LongestFirst } from './test/sequence/longest-first.js'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: [
      'test/servers/fresh-build.ts',
      'test/servers/temporary-folder.ts',
      'test/servers/global-setup.ts',
    ],
    reporters: ['default', new SkipReport()],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Tests wait for programs, servers and locks much of the time: one worker more than a small machine has cores.
    maxWorkers: 3,
    maxConcurrency: 3,
    sequence: { sequencer: LongestFirst },
  },
})
