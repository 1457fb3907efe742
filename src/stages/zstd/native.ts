import type * as Native from 'zstd-native/bindings.js'

let loading: Promise<typeof Native> | undefined

/** The native library, loaded where it is first needed. */
export function zstdNative(): Promise<typeof Native> {
  loading ??= load()
  return loading
}

/**
 * The package asks Node's diagnostic report which C library there is, and the report asks the name server for the host of every
 * open connection, one after the other with everything else waiting: seconds where the name server does not answer.
 * @see https://nodejs.org/api/process.html#processreportexcludenetwork
 */
async function load(): Promise<typeof Native> {
  const report = process.report as { excludeNetwork?: boolean }
  const before = report.excludeNetwork
  report.excludeNetwork = true
  try {
    return await import('zstd-native/bindings.js')
  } finally {
    report.excludeNetwork = before ?? false
  }
}
