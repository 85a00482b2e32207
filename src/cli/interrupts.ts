/** Who hears of Ctrl-C: whoever claimed it last; when nobody has, the process ends. */
class Interrupts {
  readonly #listeners: Array<() => void> = []

  /** Until the answer is called, Ctrl-C means `listener`. */
  claim(listener: () => void): () => void {
    this.#listeners.push(listener)
    return () => {
      const at = this.#listeners.lastIndexOf(listener)
      if (at >= 0) this.#listeners.splice(at, 1)
    }
  }

  /** Tells the last that claimed; false when nobody has. */
  deliver(): boolean {
    const listener = this.#listeners.at(-1)
    listener?.()
    return listener !== undefined
  }
}

export const interrupts = new Interrupts()
