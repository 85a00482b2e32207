/**
 * Wakes readers after the engine has submitted its next step: what a step takes in JavaScript does not include them, and
 * the device has work meanwhile. The engine's fiber runs on to that submission without giving way, so a microtask comes
 * right behind it.
 */
export class Waker<A> {
  private readers: Array<(value: A) => void> = []
  private values: Array<A> = []

  /** Calls `reader` with `value`, soon. */
  readonly wake = (reader: (value: A) => void, value: A): void => {
    if (this.readers.length === 0) queueMicrotask(this.flush)
    this.readers.push(reader)
    this.values.push(value)
  }

  private readonly flush = (): void => {
    const { readers, values } = this
    this.readers = []
    this.values = []
    for (let at = 0; at < readers.length; at++) readers[at]!(values[at]!)
  }
}
