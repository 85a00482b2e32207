import { bytesOfToken } from "./bytes.ts"
import type { DecodeStream } from "./decoder.ts"
import { cleanUp } from "./decoder.ts"
import { completeLength } from "./utf8.ts"
import type { Vocabulary } from "./vocabulary.ts"

/** Ids in, text out; one per stream. Only ids that have a token are pushed. */
export interface TextStream {
  push(id: number): string
  /** Ends the prompt: what is held of it is no part of the reply, save a character that has only begun. */
  settle(): void
  flush(): string
}

/** What the tokens of a byte-level vocabulary stand for: bytes, and text for those that are whole characters. Made on demand. */
export class ByteTable {
  private readonly bytes: Array<Uint8Array | undefined> = []
  /** null: the token's bytes are no text by themselves. */
  private readonly texts: Array<string | null | undefined> = []
  constructor(private readonly vocabulary: Vocabulary) {}

  bytesOf(id: number): Uint8Array {
    const known = this.bytes[id]
    if (known !== undefined) return known
    const bytes = bytesOfToken(this.vocabulary.tokenOf(id) ?? "")
    this.bytes[id] = bytes
    return bytes
  }

  textOf(id: number): string | null {
    const known = this.texts[id]
    if (known !== undefined) return known
    const bytes = this.bytesOf(id)
    const decoded = lossy.decode(bytes)
    const text = completeLength(bytes) === bytes.length && !decoded.includes("\uFFFD") ? decoded : null
    this.texts[id] = text
    return text
  }
}

const lossy = new TextDecoder("utf-8", { ignoreBOM: true })

/** Byte-level: most tokens are text by themselves; the others go through a streaming UTF-8 decoder. */
export class ByteStream implements TextStream {
  private readonly utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
  /** Whether the decoder may hold the beginning of a character. */
  private inside = false
  constructor(private readonly table: ByteTable) {}

  push(id: number): string {
    const text = this.table.textOf(id)
    if (text !== null && !this.inside) return text
    this.inside = text === null
    return this.utf8.decode(this.table.bytesOf(id), { stream: true })
  }

  settle(): void {}

  flush(): string {
    this.inside = false
    return this.utf8.decode()
  }
}

/** The stream of a decoder, with the cleaning of spaces where the checkpoint asks for it. */
export class TokenStream implements TextStream {
  constructor(
    private readonly vocabulary: Vocabulary,
    private readonly decoder: DecodeStream
  ) {}

  push(id: number): string {
    return this.decoder.push(this.vocabulary.tokenOf(id) ?? "")
  }

  settle(): void {}

  flush(): string {
    return this.decoder.flush()
  }
}

/** The end of a text that the cleaning could still change: the beginning of one of its patterns. */
const UNDECIDED = /(?: ')*(?: (?:'[vr]?|n'?)?)?$/

export class CleanStream implements TextStream {
  private held = ""
  constructor(private readonly inner: TextStream) {}

  push(id: number): string {
    const text = this.held + this.inner.push(id)
    const certain = UNDECIDED.exec(text)?.index ?? text.length
    this.held = text.slice(certain)
    return cleanUp(text.slice(0, certain))
  }

  settle(): void {
    this.held = ""
  }

  flush(): string {
    const text = this.held + this.inner.flush()
    this.held = ""
    return cleanUp(text)
  }
}
