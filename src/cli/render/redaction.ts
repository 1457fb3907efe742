/**
 * The text with the passwords of all URLs in it hidden. Errors are made without them; this is for what a driver, a
 * configuration file or the user's own code throws.
 */
export function withoutPasswords(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:"']*:)[^\s"'/]*(?=@)/giu, '$1***')
}
