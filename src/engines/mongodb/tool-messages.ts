/** What the tools say on stderr: a time, a tab, and the text. */
const stamp = /^\d{4}-\d\d-\d\dT\S+\t/u

/** Said of every run in which all goes well; the rest is for the user. */
const ordinary = [
  /^writing .* to archive on stdout/u,
  /^done dumping /u,
  /^dumped \d/u,
  /^\[[#.]+\] /u,
  /^(?:preparing collections to restore from|reading metadata for |restoring |finished restoring )/u,
  /^(?:index: |no indexes to restore for |dropping collection |setting number of parallel collections )/u,
  /^\d+ document\(s\) restored successfully\. 0 document\(s\) failed to restore\.$/u,
]

/** Without the time, and without what is said of every run. */
export function unusualMessages(messages: readonly string[]): readonly string[] {
  return messages
    .map((line) => line.replace(stamp, '').trim())
    .filter((line) => line !== '' && !ordinary.some((pattern) => pattern.test(line)))
}

/** What mongorestore counts at its end; undefined where it says nothing. */
export function restoredCounts(
  messages: readonly string[],
): { readonly restored: number; readonly failed: number } | undefined {
  for (const line of messages) {
    const found = /(\d+) document\(s\) restored successfully\. (\d+) document\(s\) failed/u.exec(line)
    if (found !== null) return { restored: Number(found[1]), failed: Number(found[2]) }
  }
  return undefined
}

/** How many documents mongodump says it has read, by the name of the collection in its database. */
export function dumpedCounts(messages: readonly string[], database: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const line of messages) {
    const found = /^done dumping (.*) \((\d+) documents?\)$/su.exec(line.replace(stamp, '').trimEnd())
    const namespace = found?.[1]
    if (namespace?.startsWith(`${database}.`) === true)
      counts.set(namespace.slice(database.length + 1), Number(found?.[2]))
  }
  return counts
}
