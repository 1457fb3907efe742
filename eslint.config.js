import tseslint from 'typescript-eslint'

/**
 * The arrows of docs/architecture.md as lint rules. `may` lists the rooms a room may import from; everything else under src/
 * is closed to it.
 */
const rooms = {
  errors: { files: ['src/errors.ts'], may: [] },
  env: { files: ['src/env/**'], may: ['errors', 'env'] },
  process: { files: ['src/process/**'], may: ['errors', 'env', 'streams', 'process'] },
  streams: { files: ['src/streams/**'], may: ['errors', 'env', 'streams'] },
  stages: { files: ['src/stages/**'], may: ['errors', 'env', 'process', 'streams', 'stages'] },
  storages: { files: ['src/storages/**'], may: ['errors', 'env', 'process', 'streams', 'storages'] },
  engine: { files: ['src/engine/**'], may: ['errors', 'env', 'engine'] },
  engines: { files: ['src/engines/**'], may: ['errors', 'env', 'process', 'streams', 'engine', 'engines'] },
  custom: { files: ['src/custom/**'], may: ['errors', 'env', 'process', 'streams', 'engine', 'custom'] },
  devserver: {
    files: ['src/devserver/**'],
    may: ['errors', 'env', 'process', 'streams', 'engine', 'devserver'],
  },
  files: {
    files: ['src/files/**'],
    may: ['errors', 'env', 'process', 'streams', 'files', 'storages/storage', 'storages/object-key'],
  },
  portable: { files: ['src/portable/**'], may: ['errors', 'env', 'streams', 'engine', 'portable'] },
  signing: { files: ['src/signing/**'], may: ['errors', 'env', 'signing'] },
  catalog: {
    files: ['src/catalog/**'],
    may: ['errors', 'env', 'signing', 'catalog', 'storages/storage', 'storages/object-key'],
  },
  retention: { files: ['src/retention/**'], may: ['errors', 'catalog/manifest', 'retention'] },
  hooks: {
    files: ['src/hooks/**'],
    may: ['errors', 'env', 'process', 'streams', 'hooks', 'engine', 'catalog/manifest', 'storages/storage'],
  },
  config: {
    files: ['src/config/**'],
    may: [
      'errors',
      'env',
      'config',
      'engine',
      'portable',
      'hooks',
      'retention',
      'signing',
      'catalog/manifest',
      'storages/storage',
      'stages/stage',
    ],
  },
  operations: {
    files: ['src/operations/**'],
    may: [
      'errors',
      'env',
      'process',
      'streams',
      'engine',
      'catalog',
      'retention',
      'signing',
      'hooks',
      'config',
      'files',
      'devserver',
      'portable',
      'operations',
      'storages/storage',
      'storages/object-key',
      'stages/stage',
      'testing/storage-trial',
    ],
  },
  testing: {
    files: ['src/testing/**'],
    may: [
      'errors',
      'env',
      'process',
      'streams',
      'engine',
      'catalog',
      'operations/dev-reports',
      'operations/reports',
      'operations/requests',
      'testing',
      'storages/storage',
      'storages/object-key',
      'storages/wrap/prefix',
      'storages/wrap/wrapped',
      'stages/stage',
    ],
  },
}

const allRooms = [...Object.keys(rooms), 'builtin', 'index', 'cli']

function roomRule([name, { files, may }]) {
  const closed = allRooms.filter((room) => !may.includes(room))
  // An open file of an otherwise closed room (`storages/storage`) is let through by name.
  const openFiles = may.filter((path) => path.includes('/'))
  const patterns = closed.map((room) => {
    const open = openFiles
      .filter((path) => path.startsWith(`${room}/`))
      .map((path) => path.slice(room.length + 1))
    const tail = open.length > 0 ? `/(?!(${open.join('|')})\\.js$)` : '(/|\\.js$)'
    return {
      regex: `^(\\.\\./)+${room}${tail}`,
      message: `${name} may not import ${room}: data flows one way. See docs/architecture.md, "The rooms".`,
    }
  })
  return {
    files,
    ignores: ['**/*.test.ts', '**/test-*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  }
}

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'backups/', 'demo/'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.js'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'take the time from Env.clock' },
        { object: 'process', property: 'env', message: 'take variables from Env.variables' },
        { object: 'process', property: 'exit', message: 'only cli/main.ts ends the process' },
      ],
    },
  },
  {
    files: [
      'src/env/node-env.ts',
      'src/cli/main.ts',
      'test/**',
      'bench/**',
      'scripts/**',
      '**/*.test.ts',
      '**/test-*.ts',
      '*.config.ts',
    ],
    // The helpers of tests are object literals whose methods need no `this`.
    rules: { 'no-restricted-properties': 'off', '@typescript-eslint/unbound-method': 'off' },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['src/**'],
    ignores: ['src/process/**', '**/*.test.ts', '**/test-*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "ImportDeclaration[source.value='node:child_process']",
          message: 'programs are started in process/run.ts only',
        },
      ],
    },
  },
  ...Object.entries(rooms).map(roomRule),
)
