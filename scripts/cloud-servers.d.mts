/** The program that speaks S3; undefined where it is not installed. */
export function motoProgram(): string | undefined
/** The program that speaks Google Cloud Storage; undefined where it is not built. */
export function fakeGcsProgram(): string | undefined
/** Installs and builds what is missing, and never fails. */
export function ensureCloudServers(): void
