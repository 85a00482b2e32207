import { type Node, Place } from "./network.ts"

/** What an object's keys do to the places of its members. */
export interface KeyState {
  push(byte: number): KeyState
  /** Undefined when there is such a key already. */
  seal(): KeyState | undefined
  at(node: Node): Place
  readonly rests: Rests
}

const utf8 = new TextEncoder()

/** A text as its UTF-8 bytes, one UTF-16 unit each. */
const byteText = (text: string): string => String.fromCharCode(...utf8.encode(text))

/**
 * The keys that an object has had, and as much as is written of the next one. Never changed: what follows is another one, and the
 * same one for the same bytes, so that forks share them.
 */
export class Keys implements KeyState {
  private readonly longer = new Map<number, Keys>()
  private readonly places = new Map<Node, Place>()
  private sealed: Keys | undefined
  private outlook: Rests | undefined

  private constructor(
    /** As bytes, one UTF-16 unit each. */
    private readonly used: ReadonlySet<string>,
    private readonly prefix: string
  ) {}

  static fresh(taken: ReadonlyArray<string>): Keys {
    return new Keys(new Set(taken.map(byteText)), "")
  }

  push(byte: number): Keys {
    const known = this.longer.get(byte)
    if (known !== undefined) return known
    const made = new Keys(this.used, this.prefix + String.fromCharCode(byte))
    this.longer.set(byte, made)
    return made
  }

  /** Undefined when there is such a key already. */
  seal(): Keys | undefined {
    if (this.used.has(this.prefix)) return undefined
    this.sealed ??= new Keys(new Set([...this.used, this.prefix]), "")
    return this.sealed
  }

  at(node: Node): Place {
    const known = this.places.get(node)
    if (known !== undefined) return known
    const made = new Place(node, 0, this)
    this.places.set(node, made)
    return made
  }

  /** What each used key still lacks of those that begin as this one does. */
  get rests(): Rests {
    if (this.outlook === undefined) {
      const rests: Array<string> = []
      for (const key of this.used) if (key.startsWith(this.prefix)) rests.push(key.slice(this.prefix.length))
      this.outlook = new Rests(rests)
    }
    return this.outlook
  }
}

/**
 * What keys come to for the length of one token: which of them a key that has begun may still repeat. One that can repeat none
 * any more, or has ended, is as free as its twin: so that tokens are walked without a state for each of them.
 */
export class Rests implements KeyState {
  private readonly longer = new Map<number, Rests>()
  private readonly places = new Map<Node, Place>()

  constructor(readonly texts: ReadonlyArray<string>) {}

  get rests(): Rests {
    return this
  }

  push(byte: number): Rests {
    const known = this.longer.get(byte)
    if (known !== undefined) return known
    const going = this.texts.filter((text) => text.charCodeAt(0) === byte).map((text) => text.slice(1))
    const made = new Rests(going)
    this.longer.set(byte, made)
    return made
  }

  seal(): Rests | undefined {
    return this.texts.includes("") ? undefined : free
  }

  at(node: Node): Place {
    if (this.texts.length === 0) return node.twin!.at(0)
    const known = this.places.get(node)
    if (known !== undefined) return known
    const made = new Place(node, 0, this)
    this.places.set(node, made)
    return made
  }
}

const free = new Rests([])
