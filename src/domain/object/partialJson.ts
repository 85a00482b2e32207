/** Where a value stands: keys and indices from the root. */
export type Path = ReadonlyArray<string | number>

/** A value as far as it is known; undefined when nothing of it can be shown yet. */
interface Read {
  readonly value: unknown
  readonly whole: boolean
}

const nothing: Read = { value: undefined, whole: false }
const spaces = /[ \t\n\r]*/y
const scalars = /-?\d[\d.eE+-]*|true|false|null/y

/** Reads the beginning of a JSON text that keeps to its grammar. */
class PartialReader {
  private at = 0

  constructor(
    private readonly text: string,
    private readonly isFree: (path: Path) => boolean
  ) {}

  read(path: Path): Read {
    this.skip(spaces)
    const first = this.text[this.at]
    if (first === "{") return this.object(path)
    if (first === "[") return this.array(path)
    if (first === '"') return this.string(() => this.isFree(path))
    const word = this.skip(scalars)
    // A number goes on until something else follows; at the end of the text nobody knows.
    if (word === "" || this.at >= this.text.length) return nothing
    return { value: JSON.parse(word), whole: true }
  }

  private object(path: Path): Read {
    const entries: Array<readonly [string, unknown]> = []
    const made = (whole: boolean) => ({ value: Object.fromEntries(entries), whole })
    this.at++
    for (;;) {
      if (this.closes("}")) return made(true)
      const key = this.string(() => false)
      this.skip(spaces)
      if (!key.whole || this.text[this.at] !== ":") return made(false)
      this.at++
      const name = key.value as string
      const { value, whole } = this.read([...path, name])
      if (value !== undefined) entries.push([name, value])
      if (!whole) return made(false)
    }
  }

  private array(path: Path): Read {
    const items: Array<unknown> = []
    this.at++
    for (;;) {
      if (this.closes("]")) return { value: items, whole: true }
      const { value, whole } = this.read([...path, items.length])
      if (value !== undefined) items.push(value)
      if (!whole) return { value: items, whole: false }
    }
  }

  /** Past white space and a comma: whether the bracket closes here. */
  private closes(bracket: string): boolean {
    this.skip(spaces)
    if (this.text[this.at] === ",") {
      this.at++
      this.skip(spaces)
    }
    if (this.text[this.at] !== bracket) return false
    this.at++
    return true
  }

  /** `mayBePart`: as much as is there may be shown. */
  private string(mayBePart: () => boolean): Read {
    if (this.text[this.at] !== '"') return nothing
    let end = this.at + 1
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === "\\" ? 2 : 1
    const whole = end < this.text.length
    const raw = this.text.slice(this.at + 1, whole ? end : this.text.length)
    this.at = end + 1
    if (whole) return { value: JSON.parse(`"${raw}"`), whole }
    return mayBePart() ? { value: JSON.parse(`"${settled(raw)}"`), whole } : nothing
  }

  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0] ?? ""
    this.at += found.length
    return found
  }
}

/** What of an unfinished string is certain: no escape that has only begun, no first half of a surrogate pair. */
const settled = (raw: string): string => {
  const escape = /\\(?:u[0-9a-fA-F]{0,3})?$/.exec(raw)
  // A backslash that is itself escaped begins nothing.
  const begun = escape !== null && (/\\*$/.exec(raw.slice(0, escape.index + 1))![0].length & 1) === 1
  const certain = begun ? raw.slice(0, escape.index) : raw
  return certain.replace(/\\u[dD][89abAB][0-9a-fA-F]{2}$/, (half, at: number) =>
    (/\\*$/.exec(certain.slice(0, at + 1))![0].length & 1) === 1 ? "" : half
  )
}

/**
 * The value that a JSON text has begun to say, undefined when there is none to show: numbers, booleans, null and strings
 * that are not free appear when they are whole, free strings as far as they go. What is shown is never taken back.
 */
export const partialJson = (text: string, isFree: (path: Path) => boolean): unknown =>
  new PartialReader(text, isFree).read([]).value
