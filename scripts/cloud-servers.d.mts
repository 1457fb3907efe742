/** The program that speaks S3; undefined where it is not installed. */
export function motoProgram(): string | undefined
/** The program that speaks Google Cloud Storage's protocol; undefined where it is not built. */
export function fakeGcsProgram(): string | undefined
/** Installs what is missing, and never fails. */
export function ensureCloudServers(): void
