import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'cli/main': 'src/cli/main.ts',
    'testing/index': 'src/testing/index.ts',
    // Run by Node as a program of its own: see docs/decisions/sqlite-program.md.
    'engines/sqlite/program/main': 'src/engines/sqlite/program/main.ts',
    // Likewise: see docs/decisions/files-program.md.
    'files/program/main': 'src/files/program/main.ts',
    // Likewise, and without the loader's start-up: it outlives whoever starts it.
    'devserver/guard/main': 'src/devserver/guard/main.ts',
  },
  copy: [
    ...['postgres', 'mysql', 'mongodb', 'sqlite'].map((engine) => ({
      from: `src/engines/${engine}/guide.md`,
      to: `dist/engines/${engine}`,
    })),
    { from: 'node_modules/zod/LICENSE', to: 'dist/licenses/zod' },
  ],
  // Ninety small files, which every command would load: see docs/decisions/dependencies.md.
  deps: { alwaysBundle: ['zod'] },
  format: 'esm',
  target: 'node20.19',
  platform: 'node',
  dts: true,
  clean: true,
  fixedExtension: false,
})
