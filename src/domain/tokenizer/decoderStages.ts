import { byteOfFallbackToken } from "./bytes.ts"
import { completeLength } from "./utf8.ts"

/** One rule of a decoder as a stream: tokens in, tokens out. Keeps state between tokens; one per stream. */
export interface Stage {
  push(token: string): ReadonlyArray<string>
  flush(): ReadonlyArray<string>
}

const none: ReadonlyArray<string> = []

/** Each token by itself; it knows only whether it is the first. */
export class MapStage implements Stage {
  private first = true
  constructor(private readonly map: (token: string, first: boolean) => string) {}
  push(token: string): ReadonlyArray<string> {
    const mapped = this.map(token, this.first)
    this.first = false
    return [mapped]
  }
  flush(): ReadonlyArray<string> {
    return none
  }
}

/** Joins all tokens to one. Downstream knows, so that parts may pass. */
export class FuseStage implements Stage {
  push(token: string): ReadonlyArray<string> {
    return [token]
  }
  flush(): ReadonlyArray<string> {
    return none
  }
}

/** Keeps the one fused token until it is whole. */
export class HoldAll implements Stage {
  private text = ""
  push(token: string): ReadonlyArray<string> {
    this.text += token
    return none
  }
  flush(): ReadonlyArray<string> {
    return [this.text]
  }
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true })

/**
 * Runs of `<0xE4>` become characters; a run that is not valid UTF-8 as a whole becomes one U+FFFD for each byte.
 * An eager stage gives complete characters at once, and judges only the rest of the run.
 */
export class ByteFallbackStage implements Stage {
  private run: Array<number> = []
  constructor(private readonly eager: boolean) {}
  push(token: string): ReadonlyArray<string> {
    const byte = byteOfFallbackToken(token)
    if (byte < 0) return this.run.length === 0 ? [token] : [this.end(), token]
    this.run.push(byte)
    if (!this.eager) return none
    const bytes = Uint8Array.from(this.run)
    if (completeLength(bytes) < bytes.length || !isValid(bytes)) return none
    this.run = []
    return [utf8.decode(bytes)]
  }
  flush(): ReadonlyArray<string> {
    return this.run.length === 0 ? none : [this.end()]
  }
  private end(): string {
    const bytes = Uint8Array.from(this.run)
    this.run = []
    return isValid(bytes) ? utf8.decode(bytes) : "\uFFFD".repeat(bytes.length)
  }
}

const isValid = (bytes: Uint8Array): boolean => {
  try {
    strict.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Takes up to `start` characters `content` off the front and `stop` off the end: of each token, or of the fused one. */
export class StripStage implements Stage {
  private left: number
  private held = ""
  constructor(
    private readonly content: string,
    private readonly start: number,
    private readonly stop: number,
    private readonly fused: boolean
  ) {
    this.left = start
  }
  push(token: string): ReadonlyArray<string> {
    if (!this.fused) {
      this.left = this.start
      return [this.stripEnd(this.stripStart(token))]
    }
    const text = this.held + this.stripStart(token)
    const body = this.stripEnd(text)
    this.held = text.slice(body.length)
    return [body]
  }
  /** What is held is what the end of the text loses. */
  flush(): ReadonlyArray<string> {
    return none
  }
  private stripStart(text: string): string {
    while (this.left > 0 && text !== "") {
      if (!text.startsWith(this.content)) {
        this.left = 0
        break
      }
      text = text.slice(this.content.length)
      this.left--
    }
    return text
  }
  private stripEnd(text: string): string {
    for (let i = 0; i < this.stop && text.endsWith(this.content); i++) text = text.slice(0, -this.content.length)
    return text
  }
}
