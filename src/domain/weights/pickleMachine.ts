/** A name that a pickle asks to import: it is never imported, only compared. */
export class Global {
  constructor(
    readonly module: string,
    readonly name: string
  ) {}
  get text() {
    return `${this.module}.${this.name}`
  }
}

/** What a pickle holds once it is read: plain data, globals as names, and whatever the reader made of calls. */
export type Pickled = unknown

/** What the owner of a pickle makes of its two openings to the outside. Both may throw an Error whose message is shown. */
export interface PickleHost {
  /** A call of a global that is allowed; for any other it throws. */
  readonly call: (callee: Global, args: ReadonlyArray<Pickled>) => Pickled
  /** A reference to something outside the pickle. */
  readonly persistent: (id: Pickled) => Pickled
}

export const mark = Symbol("mark")

/** The stack machine. A Map stands for a dict, an Array for lists and tuples. */
export class PickleMachine {
  private stack: Array<Pickled> = []
  private readonly memo = new Map<number, Pickled>()

  constructor(private readonly host: PickleHost) {}

  push = (value: Pickled) => void this.stack.push(value)

  pop(): Pickled {
    if (this.stack.length === 0) throw new Error("it takes a value from an empty stack")
    return this.stack.pop()
  }

  top(): Pickled {
    const value = this.pop()
    this.push(value)
    return value
  }

  popMany(count: number): Array<Pickled> {
    return Array.from({ length: count }, () => this.pop()).reverse()
  }

  popToMark(): Array<Pickled> {
    const at = this.stack.lastIndexOf(mark)
    if (at < 0) throw new Error("it takes values up to a mark that is not there")
    const values = this.stack.splice(at)
    values.shift()
    return values
  }

  get(index: number) {
    if (!this.memo.has(index)) throw new Error(`it recalls value ${index}, which it never kept`)
    this.push(this.memo.get(index))
  }

  put(index: number) {
    this.memo.set(index, this.top())
  }

  memoize() {
    this.put(this.memo.size)
  }

  setItems(pairs: ReadonlyArray<Pickled>) {
    const target = this.top()
    if (!(target instanceof Map)) throw new Error("it fills something that is no dict")
    for (let at = 0; at + 1 < pairs.length; at += 2) target.set(pairs[at], pairs[at + 1])
  }

  append(values: ReadonlyArray<Pickled>) {
    const target = this.top()
    if (!Array.isArray(target)) throw new Error("it appends to something that is no list")
    for (const value of values) target.push(value)
  }

  global(module: Pickled, name: Pickled) {
    if (typeof module !== "string" || typeof name !== "string") throw new Error("it names a global by no text")
    this.push(new Global(module, name))
  }

  call(args: Pickled, callee: Pickled) {
    if (!(callee instanceof Global) || !Array.isArray(args)) throw new Error("it calls something that is no function")
    this.push(this.host.call(callee, args))
  }

  persistent() {
    this.push(this.host.persistent(this.pop()))
  }

  /** State for an object: an OrderedDict's attributes, which hold no tensor. On anything else there is no meaning to it. */
  build() {
    this.pop()
    if (!(this.top() instanceof Map)) throw new Error("it sets the state of something that is no dict")
  }
}
