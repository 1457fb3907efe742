import type { Secret } from '../../env/secret.js'
import { HoldfastError } from '../../errors.js'
import { PlainLength } from '../plain-length.js'
import type { StageKind } from '../stage.js'
import { transforming } from '../transforming.js'
import { startsAsArmor } from './armor.js'
import { decodeAge } from './decode.js'
import { encodeAge } from './encode.js'
import { versionLine } from './header.js'

/** Either recipients or a passphrase. */
export interface AgeSettings {
  /** `age1…`, also the post-quantum `age1pq1…` and the hardware `age1tag1…`, `age1tagpq1…`. */
  readonly recipients?: readonly string[]
  /** Turned into a key with scrypt, which takes 256 MB of memory for a second, as the age program's does. */
  readonly passphrase?: Secret
}

/**
 * age, version 1 (https://c2sp.org/age). Encoding to recipients needs no private key. Decoding gives out nothing that is not
 * authenticated, and knows a file that ends too early; armored files are read too.
 */
export const age: StageKind<AgeSettings> = {
  id: 'age',
  role: 'encrypt',
  extension: '.age',
  recognises: (head) => {
    const start = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
    return start.subarray(0, versionLine.length).equals(versionLine) || startsAsArmor(start)
  },
  create(settings, keys) {
    const lock = settings === undefined ? undefined : checked(settings)
    return {
      id: age.id,
      encode(cx) {
        if (lock === undefined)
          throw new HoldfastError('config.invalid', 'age needs recipients or a passphrase')
        const length = new PlainLength()
        return {
          through: transforming((source) => encodeAge(cx.env, length.count(source), lock)),
          facts: () => length.facts(),
        }
      },
      decode: (_cx, facts) => transforming((source) => decodeAge(source, facts, keys)),
    }
  },
}

/** The key of age's own documentation, which is copied a great deal. */
const sampleRecipient = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'

const makingKeys = 'age-keygen -o key.txt makes a key and prints the public half, which begins with age1'

function checked(settings: AgeSettings): AgeSettings {
  const { recipients, passphrase } = settings
  if ((recipients === undefined) === (passphrase === undefined))
    throw new HoldfastError('config.invalid', 'age needs either recipients or a passphrase')
  if (passphrase?.reveal() === '') throw new HoldfastError('config.invalid', 'the age passphrase is empty')
  if (recipients === undefined) return settings
  if (recipients.length === 0) throw new HoldfastError('config.invalid', 'age needs at least one recipient')
  return { recipients: recipients.map((recipient, index) => checkedRecipient(recipient.trim(), index + 1)) }
}

/** Whether it is a recipient at all; its checksum is seen when the library reads it. What is not one may be a secret. */
function checkedRecipient(recipient: string, position: number): string {
  if (recipient === sampleRecipient)
    throw new HoldfastError(
      'key.invalid',
      `age recipient ${position} is the sample of age's documentation: you do not have its private key`,
      { hint: makingKeys },
    )
  if (/^age1[0-9a-z]+$/u.test(recipient)) return recipient
  if (/^age1/u.test(recipient))
    throw new HoldfastError('key.invalid', `age recipient ${position} is not a whole public key`, {
      hint: makingKeys,
    })
  if (/^AGE-SECRET-KEY-/iu.test(recipient))
    throw new HoldfastError('key.invalid', `age recipient ${position} is a private key`, {
      hint: 'give its public half instead: age-keygen -y FILE prints it',
    })
  if (/^ssh-/u.test(recipient))
    throw new HoldfastError(
      'key.invalid',
      `age recipient ${position} is an ssh key, which is not supported`,
      {
        hint: 'make an age key with age-keygen',
      },
    )
  throw new HoldfastError('key.invalid', `age recipient ${position} does not begin with age1`, {
    hint: makingKeys,
  })
}
