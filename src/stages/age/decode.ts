import type { Json } from '../../env/json.js'
import { ByteReader } from '../byte-reader.js'
import { ofPlainLength } from '../plain-length.js'
import type { KeyRing } from '../stage.js'
import { dearmored, startsAsArmor } from './armor.js'
import { takeHeader } from './header.js'
import { unlock } from './identities.js'
import { nonceBytes, openPayload, payloadKey } from './payload.js'

/** @throws integrity.format, integrity.truncated, integrity.checksum, integrity.wrong-key, key.missing, key.invalid */
export async function* decodeAge(
  source: AsyncIterable<Buffer>,
  facts: Json,
  keys: KeyRing,
): AsyncGenerator<Buffer> {
  let reader = new ByteReader(source, 'age')
  if (startsAsArmor(await reader.peek(64))) reader = new ByteReader(dearmored(reader.rest()), 'age')
  const fileKey = await unlock(await takeHeader(reader), keys)
  const key = payloadKey(fileKey, await reader.take(nonceBytes))
  yield* ofPlainLength(openPayload(key, reader, facts), facts, 'age')
}
