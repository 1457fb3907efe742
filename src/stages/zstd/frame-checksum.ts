/*
 * The content checksum of a zstd frame: the lower four bytes of XXH64 with seed 0, after the last block; a bit of the frame's
 * descriptor says that it is there (RFC 8878, section 3.1.1). The compressing library leaves it out, and without it a changed
 * bit can give other rows: `zstd -t`, and whoever restores by hand, would not notice.
 */

const descriptorOffset = 4
const checksumFlag = 0x04

/** Gives the function that makes checksums. */
export async function frameChecksums(): Promise<(content: Uint8Array) => Buffer> {
  const { default: xxhash } = await import('xxhash-wasm')
  const xxh = await xxhash()
  return (content) => {
    const checksum = Buffer.alloc(4)
    checksum.writeUInt32LE(Number(xxh.h64Raw(content) & 0xffffffffn))
    return checksum
  }
}

/** The parts of the frame with its checksum. Its descriptor is changed. */
export function withChecksum(frame: Buffer, checksum: Buffer): readonly Buffer[] {
  frame.writeUInt8(frame.readUInt8(descriptorOffset) | checksumFlag, descriptorOffset)
  return [frame, checksum]
}
