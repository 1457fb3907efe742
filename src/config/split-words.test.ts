import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { needsTool } from '../../test/servers/needs.js'
import { splitWords } from './split-words.js'

const split = (text: string, platform: NodeJS.Platform = 'linux') => splitWords(text, 'dumpPrefix', platform)

it.each<[string, readonly string[]]>([
  ['nice -n 10', ['nice', '-n', '10']],
  ['  docker  exec\t-i\ndb ', ['docker', 'exec', '-i', 'db']],
  ['', []],
  [`"" ''`, ['', '']],
  [`--where="a b" --name='it''s'`, ['--where=a b', '--name=its']],
  [`a"b"'c'd`, ['abcd']],
  [`"a \\" \\$ \\x"`, ['a " $ \\x']],
  [`a\\ b 'c\\d'`, ['a b', 'c\\d']],
  ['a; b | c && d', ['a;', 'b', '|', 'c', '&&', 'd']],
  [
    '$(id) `id` ${HOME} $HOME * ~ {a,b} #x !',
    ['$(id)', '`id`', '${HOME}', '$HOME', '*', '~', '{a,b}', '#x', '!'],
  ],
  ['> out < in', ['>', 'out', '<', 'in']],
])('%j', (text, words) => {
  expect(split(text)).toEqual(words)
})

it.each([`nice "x`, `nice 'x`, 'nice \\'])('%s is refused with the name of the setting', (text) => {
  expect(() => split(text)).toThrow(/^dumpPrefix (?:has a ["'] that is not closed|ends in a backslash)$/u)
})

it('on Windows a backslash is part of a path', () => {
  expect(split('"C:\\Program Files\\pg\\bin\\pg_dump.exe" C:\\x \\"', 'win32')).toEqual([
    'C:\\Program Files\\pg\\bin\\pg_dump.exe',
    'C:\\x',
    '"',
  ])
})

needsTool('sh').it('whatever is quoted for a shell is split as that shell splits it', () => {
  const piece = fc.string({ unit: fc.constantFrom(...`ab \\'"$\`;|&<>()*?[]~#!{}=\tä`) })
  const quoted = fc.oneof(
    piece.map((text) => `'${text.replaceAll("'", '')}'`),
    piece.map((text) => `"${text.replaceAll(/["$`\\]/gu, '\\$&')}"`),
    piece.map((text) => text.replaceAll(/[^a-z0-9]/gu, '\\$&')),
  )
  const line = fc.array(
    fc.array(quoted, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
    {
      maxLength: 6,
    },
  )
  fc.assert(
    fc.property(line, (words) => {
      const text = words.join(' ')
      const said = execFileSync('sh', ['-c', `printf '%s\\0' x ${text}`], { encoding: 'utf8' })
      expect(split(text)).toEqual(said.split('\0').slice(1, -1))
    }),
    { numRuns: 150 },
  )
})
