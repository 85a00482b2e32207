/** What a command writes to; `write` answers when more may follow. */
export interface Sink {
  readonly write: (text: string) => Promise<void>
}

/**
 * Several replies that grow at once, written one after another in the order of their prompts: the first that has not
 * ended goes straight to the sink, the others wait here.
 */
export class OrderedReplies {
  readonly #sink: Sink
  readonly #waiting = new Map<number, string>()
  readonly #ended = new Set<number>()
  #current = 0

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** Resolves when the sink took the text, which for the reply on show paces its generation. */
  async push(reply: number, text: string): Promise<void> {
    if (reply === this.#current) await this.#sink.write(text)
    else this.#waiting.set(reply, (this.#waiting.get(reply) ?? "") + text)
  }

  async end(reply: number): Promise<void> {
    this.#ended.add(reply)
    let ready = ""
    while (this.#ended.has(this.#current)) {
      this.#current++
      ready += this.#waiting.get(this.#current) ?? ""
      this.#waiting.delete(this.#current)
    }
    if (ready !== "") await this.#sink.write(ready)
  }
}
