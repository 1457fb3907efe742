import { asHoldfastError, HoldfastError } from '../errors.js'

const words = /ENOSPC|no space left on device|disk (?:is )?full|not enough space on the disk|errcode: 28\b/iu

/** Whether a message, of the system or of a server, says that a disk is full. */
export function saysDiskFull(text: string): boolean {
  return words.test(text)
}

/** The error as it is, or as `storage.full` where a full disk is behind it. */
export function diskFull(thrown: unknown, folder: string): HoldfastError {
  const error = asHoldfastError(thrown)
  const { messages } = error.details
  const said = [error.message, ...(Array.isArray(messages) ? (messages as string[]) : [])]
  if (error.code === 'storage.full' || !said.some(saysDiskFull)) return error
  return new HoldfastError('storage.full', `there is no space left for ${folder}`, { cause: thrown })
}
