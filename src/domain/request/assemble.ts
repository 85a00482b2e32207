import type { StepResult } from "../batch/step.ts"
import type { Logprob, TokenLogprobs } from "./outputs.ts"
import { makeStopScanner } from "./stopStrings.ts"

/** Tokens into text, never part of a character: what the assembler needs of a tokenizer. */
export interface TextSource {
  push(ids: ReadonlyArray<number>): string
  flush(): string
}

export interface AssemblerOptions {
  /** Undefined without a tokenizer, or where `detokenize` is off: the text stays empty. */
  readonly source: TextSource | undefined
  readonly stop: ReadonlyArray<string>
  readonly includeStopStrInOutput: boolean
  /** Stop strings that are complete within this many tokens do not count. */
  readonly minTokens: number
}

/** The text of one output sequence, token by token. Synchronous; one per sequence. */
export interface Assembler {
  /** Text that is certain after `token`. `silent`: a stop token, which gives no text. */
  push(token: number, silent: boolean): string
  /** The stop string that ended the text. Once set, nothing more is pushed. */
  readonly stop: string | undefined
  /** What remains when the sequence ends otherwise. */
  flush(): string
  readonly tokens: number
}

class TextAssembler implements Assembler {
  stop: string | undefined = undefined
  tokens = 0
  private readonly scanner: ReturnType<typeof makeStopScanner> | undefined
  private readonly one = [0]

  constructor(private readonly options: AssemblerOptions) {
    this.scanner =
      options.stop.length > 0 && options.source !== undefined
        ? makeStopScanner(options.stop, options.includeStopStrInOutput)
        : undefined
  }

  push(token: number, silent: boolean): string {
    this.tokens++
    const { source, minTokens } = this.options
    if (source === undefined || silent) return ""
    this.one[0] = token
    return this.scan(source.push(this.one), this.tokens <= minTokens)
  }

  flush(): string {
    const { source, minTokens } = this.options
    if (source === undefined || this.stop !== undefined) return ""
    const rest = this.scan(source.flush(), this.tokens <= minTokens)
    return this.stop === undefined && this.scanner !== undefined ? rest + this.scanner.flush() : rest
  }

  private scan(piece: string, tooEarly: boolean): string {
    if (this.scanner === undefined || piece.length === 0) return piece
    const { text, stop } = this.scanner.push(piece, tooEarly)
    this.stop = stop
    return text
  }
}

export const makeAssembler = (options: AssemblerOptions): Assembler => new TextAssembler(options)

/** The logprobs of one row of a step's result: the row's own token, then at most `count` best ones in rank order. */
export const tokenLogprobs = (
  result: StepResult,
  row: number,
  count: number,
  decodeToken: ((id: number) => string) | undefined
): TokenLogprobs => {
  const entry = (tokenId: number, logprob: number, rank: number): Logprob => ({
    tokenId,
    logprob,
    rank,
    decodedToken: decodeToken === undefined ? null : decodeToken(tokenId)
  })
  const own = result.tokens[row]!
  const entries = [entry(own, result.logprobs[row]!, result.ranks[row]!)]
  const columns = Math.min(count, result.top)
  for (let column = 0; column < columns; column++) {
    const token = result.topTokens[row * result.top + column]!
    if (token >= 0 && token !== own)
      entries.push(entry(token, result.topLogprobs[row * result.top + column]!, column + 1))
  }
  return entries
}
