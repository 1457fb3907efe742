import { defineConfig } from 'vitest/config'
import { SkipReport } from './test/reporters/skip-report.js'

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
    maxWorkers: 2,
  },
})
