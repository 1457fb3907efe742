/**
 * With `--json` a command prints one document on stdout:
 *
 * ```json
 * { "holdfast": 1, "command": "list", … }
 * ```
 *
 * `holdfast` is the version of these shapes: it grows when a field is removed or changes its meaning, not when one is added.
 * Bytes are numbers, times RFC 3339 in UTC, durations seconds. Fields that do not apply are absent.
 */
export type JsonBody = { readonly [field: string]: JsonField }

/** What a document may hold; `undefined` is left out of it. */
export type JsonField =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly JsonField[]
  | { readonly [field: string]: JsonField }

const documentVersion = 1

export function jsonDocument(command: string, body: JsonBody): string {
  return JSON.stringify({ holdfast: documentVersion, command, ...body }, undefined, 2)
}
