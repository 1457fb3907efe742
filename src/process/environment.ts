import type { ToolCall } from './tool.js'

/** Without these a program does not even start on Windows. */
const alwaysKept = ['PATH', 'Path', 'SYSTEMROOT', 'SystemRoot']

/**
 * The environment of a child. Variables of this process that hold one of the call's secrets (a `DATABASE_URL` with its
 * password) are left out: other users of the machine's account can read a process's environment.
 */
export function childEnvironment(
  inherited: Readonly<Record<string, string | undefined>>,
  call: ToolCall,
): Record<string, string> {
  const secrets = (call.secrets ?? []).map((secret) => secret.reveal()).filter((value) => value.length > 0)
  const holdsSecret = (value: string) =>
    secrets.some((secret) => value.includes(secret) || value.includes(encodeURIComponent(secret)))
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(inherited)) {
    if (value === undefined) continue
    if (call.inheritEnv === false && !alwaysKept.includes(name)) continue
    if (!holdsSecret(value)) environment[name] = value
  }
  return { ...environment, ...call.env }
}
