import type { Context } from '../../env/context.js'
import { programError } from '../../process/own-program.js'
import { talkWithTool, type ToolTalk } from '../../process/run.js'
import { frame, frames, type Frame } from './frames.js'
import { programCall } from './tools.js'
import type { Commands } from './program/protocol.js'

/** A running SQLite program that is asked one thing after another. */
export class RowsTalk {
  readonly #talk: ToolTalk
  readonly #frames: AsyncGenerator<Frame<object>>

  constructor(cx: Context, name: 'rows-out' | 'rows-in', input: Commands['rows-out' | 'rows-in']['input']) {
    this.#talk = talkWithTool(cx, programCall(name, input))
    this.#frames = frames(this.#talk.stdout)
  }

  async send(head: object, body?: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#talk.stdin.write(frame(head, body), (error) =>
        error === null || error === undefined ? resolve() : reject(programError(error)),
      )
    })
  }

  /** The next answer. @throws what the program has failed with */
  async receive<Answer extends object>(): Promise<Frame<Answer>> {
    const next = await this.#frames.next()
    if (next.done === true) {
      await this.#talk.finished.catch((error: unknown) => {
        throw programError(error)
      })
      throw new TypeError('the SQLite program has ended without an answer')
    }
    return next.value as Frame<Answer>
  }

  async ask<Answer extends object>(head: object): Promise<Answer> {
    await this.send(head)
    return (await this.receive<Answer>()).head
  }

  /** Lets the program end, which takes back what is not committed. */
  async close(): Promise<void> {
    this.#talk.stdin.end()
    this.#talk.stdout.resume()
    await this.#talk.finished.catch(() => undefined)
  }
}
