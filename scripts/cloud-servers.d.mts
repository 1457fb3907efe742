/** The program that speaks S3; undefined where it is not installed. */
export function motoProgram(): string | undefined
/** Installs what is missing, and never fails. */
export function ensureCloudServers(): void
