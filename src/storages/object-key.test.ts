import { resolve, sep, win32 } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys, isObjectKey, objectKey, safeSegment } from './object-key.js'

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  // What attacks are made of.
  fc
    .array(
      fc.constantFrom(
        '..',
        '.',
        '/',
        '\\',
        '%2e',
        'C:',
        'con',
        '~',
        ' ',
        '-',
        'a',
        '\0',
        '\n',
        '%',
        'é',
        '\ud800',
      ),
    )
    .map((pieces) => pieces.join('')),
)

describe('an object key', () => {
  it('is any relative name', () => {
    for (const text of [
      'a',
      'shop/2026.dump.zst.age',
      'a b/c',
      '-rf',
      '.hidden',
      'a..b',
      '%2e%2e/x',
      'shop:eu',
      '数据库/😀',
    ]) {
      expect(objectKey(text)).toBe(text)
    }
  })

  it.each([
    ['nothing', ''],
    ['an absolute path', '/etc/passwd'],
    ['a way up', '../x'],
    ['a way up in the middle', 'shop/../../x'],
    ['a way up at the end', 'shop/..'],
    ['the folder itself', '.'],
    ['the folder in the middle', 'shop/./x'],
    ['an empty segment', 'shop//x'],
    ['a slash at the end', 'shop/'],
    ['a backslash', 'shop\\..\\x'],
    ['a drive letter', 'C:/x'],
    ['a drive letter without a slash', 'c:x'],
    ['NUL', 'a\0b'],
    ['a line break', 'a\nb'],
    ['an escape sequence', 'a\u001b[2Jb'],
    ['a C1 control character', 'a\u009bb'],
    ['DEL', 'a\u007fb'],
    ['half a surrogate pair', 'a\ud800b'],
    ['a dot at the end, which Windows drops', 'shop/..../x'],
    ['a space at the end, which Windows drops', 'shop/.. /x'],
    ['a segment of 256 bytes', 'a'.repeat(256)],
    ['a segment of 256 bytes in 128 characters', 'é'.repeat(128)],
    ['a key of more than 1024 bytes', `${'a'.repeat(200)}/`.repeat(6) + 'x'],
  ])('FAILURES 72, 73: is not %s', (_, text) => {
    expect(isObjectKey(text)).toBe(false)
    expect(() => objectKey(text)).toThrow(
      expect.objectContaining({ code: 'storage.unsafe-key', exit: 6 }) as Error,
    )
  })

  it('may have 255 bytes in a segment and 1024 in all', () => {
    expect(isObjectKey('a'.repeat(255))).toBe(true)
    expect(isObjectKey(`${'a'.repeat(203)}/`.repeat(5) + 'abcd')).toBe(true)
  })

  it('is refused with a message that no terminal obeys and that stays short', () => {
    const hostile = `\u001b]0;title\u0007\u009b2J\u007f${'../'.repeat(10_000)}`
    const caught = (() => {
      try {
        return objectKey(hostile)
      } catch (error) {
        return String(error)
      }
    })()
    expect(caught).not.toMatch(/\p{Cc}/u)
    expect(caught.length).toBeLessThan(600)
  })

  it('FAILURES 73: never leads out of a folder, on any platform', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(isObjectKey(text))
        expect(resolve('/srv/backups', text).startsWith(`/srv/backups${sep}`)).toBe(true)
        expect(win32.resolve('C:\\backups', text).startsWith('C:\\backups\\')).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a safe segment', () => {
  it.each([
    ['shop', 'shop'],
    ['Shop-2.0_eu', 'Shop-2.0_eu'],
    ['my shop', 'my shop'],
    ['größe', 'größe'],
    ['数据库', '数据库'],
    ['', '~'],
    ['shop/eu', 'shop%2Feu'],
    ['..', '%2E%2E'],
    ['.hidden', '%2Ehidden'],
    ['-rf', '%2Drf'],
    ['ends.', 'ends%2E'],
    [' both ', '%20both%20'],
    ['C:\\x', 'C%3A%5Cx'],
    ['100%', '100%25'],
    ['con', '%63on'],
    ['NUL.txt', '%4EUL.txt'],
    ['console', 'console'],
    ['a\nb\0', 'a%0Ab%00'],
    ['😀', '%F0%9F%98%80'],
    ['\ud800', '%uD800'],
    ['o\'brien "x" $(rm) `y` *', 'o%27brien %22x%22 %24%28rm%29 %60y%60 %2A'],
  ])('of %j is %j', (text, segment) => {
    expect(safeSegment(text)).toBe(segment)
  })

  it('is one segment of a key, short enough for a suffix, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: 'binary', maxLength: 400 })), (text) => {
        const segment = safeSegment(text)
        expect(isObjectKey(segment)).toBe(true)
        expect(segment).not.toContain('/')
        expect(isObjectKey(`${segment}-2.manifest.json`)).toBe(true)
        expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(200)
      }),
      { numRuns: 2000 },
    )
  })

  it('differs where texts differ', () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        fc.pre(a !== b)
        expect(safeSegment(a)).not.toBe(safeSegment(b))
      }),
      { numRuns: 5000 },
    )
    const long = 'x'.repeat(1000)
    expect(safeSegment(`${long}a`)).not.toBe(safeSegment(`${long}b`))
    expect(safeSegment(safeSegment(long))).not.toBe(safeSegment(long))
  })
})

describe('the order of keys', () => {
  it('is that of their UTF-8 bytes', () => {
    expect(['😀', '\uffee', 'a/b', 'a-b', 'é', 'z'].sort(compareKeys)).toEqual([
      'a-b',
      'a/b',
      'z',
      'é',
      '\uffee',
      '😀',
    ])
  })
})
