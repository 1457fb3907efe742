/** What a server says of itself. */
export interface ServerIdentity {
  /** `MongoDB`, or what speaks its protocol and says so: `FerretDB`. */
  readonly product: string
  /** Of the product: `8.0.4`, `1.24.2`. */
  readonly version: string
  /** The version of MongoDB that the server is, or stands for. */
  readonly protocolVersion: string
}

/** From the answer to `buildInfo`. FerretDB gives the version of MongoDB as `version` and its own beside it. */
export function identityOf(info: Readonly<Record<string, unknown>>): ServerIdentity {
  const protocolVersion = textOf(info['version']) ?? '0'
  const ferret = textOf(info['ferretdbVersion']) ?? textOf(nested(info['ferretdb'], 'version'))
  return ferret === undefined
    ? { product: 'MongoDB', version: protocolVersion, protocolVersion }
    : { product: 'FerretDB', version: ferret.replace(/^v/u, ''), protocolVersion }
}

/** Whether one version is of an older series: its major number is smaller. */
export function olderSeries(version: string, than: string): boolean {
  return Number.parseInt(version, 10) < Number.parseInt(than, 10)
}

function nested(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
