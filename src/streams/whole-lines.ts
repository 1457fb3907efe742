const lineFeed = 10

/** Gathers pieces of text, split anywhere, into whole lines, in memory that is used again. */
export class WholeLines {
  #memory = Buffer.alloc(0)
  #filled = 0
  /** What was given out last, at the front. */
  #given = 0

  /** @returns the lines that are whole now, to be used before the next call: their bytes are overwritten then */
  add(piece: Uint8Array): Buffer {
    this.#memory.copyWithin(0, this.#given, this.#filled)
    this.#filled -= this.#given
    this.#makeRoom(this.#filled + piece.length)
    this.#memory.set(piece, this.#filled)
    const end = piece.lastIndexOf(lineFeed) + 1
    this.#given = end === 0 ? 0 : this.#filled + end
    this.#filled += piece.length
    return this.#memory.subarray(0, this.#given)
  }

  /** Whether a line has begun that has no end. */
  get isUnfinished(): boolean {
    return this.#filled > this.#given
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#memory.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#memory.length))
    this.#memory.copy(larger, 0, 0, this.#filled)
    this.#memory = larger
  }
}
