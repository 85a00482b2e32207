import { type Node, Place } from "./network.ts"

const utf8 = new TextEncoder()

/** A text as its UTF-8 bytes, one UTF-16 unit each. */
const byteText = (text: string): string => String.fromCharCode(...utf8.encode(text))

/**
 * The keys that an object has had, and as much as is written of the next one. Never changed: what follows is another one, and the
 * same one for the same bytes, so that forks share them.
 */
export class Keys {
  private readonly longer = new Map<number, Keys>()
  private readonly places = new Map<Node, Place>()
  private sealed: Keys | undefined

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
  rests(): Array<string> {
    const rests: Array<string> = []
    for (const key of this.used) if (key.startsWith(this.prefix)) rests.push(key.slice(this.prefix.length))
    return rests
  }
}
