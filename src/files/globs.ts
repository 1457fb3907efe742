import picomatch from 'picomatch'

/** Whether a path below the source is meant; paths have `/` between their names, on Windows too. */
export type PathTest = (path: string) => boolean

/**
 * A test for paths that any of the patterns means. A pattern without a slash means a name at any depth, one with a slash the path
 * from the source on; `*` stays within a name, `**` does not. What means a folder means all that is in it.
 */
export function pathTest(patterns: readonly string[]): PathTest {
  const tests = patterns.map((pattern) => {
    const trimmed = pattern.replace(/^\.?\/|\/$/gu, '')
    const anywhere = !trimmed.includes('/') && !pattern.startsWith('/')
    return picomatch(anywhere ? [`**/${trimmed}`, `**/${trimmed}/**`] : [trimmed, `${trimmed}/**`], {
      dot: true,
      // A name may hold what a shell's pattern would take for something else.
      nonegate: true,
    })
  })
  return (path) => tests.some((matches) => matches(path))
}
