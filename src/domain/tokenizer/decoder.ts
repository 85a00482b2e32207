import { ByteFallbackStage, FuseStage, HoldAll, MapStage, type Stage, StripStage } from "./decoderStages.ts"
import {
  type CompileRegex,
  countOf,
  flagOf,
  patternOf,
  type Rule,
  rulesOf,
  TokenizerFault,
  textOf,
  typeOf
} from "./rule.ts"

/** Text out of tokens, token by token. One per stream. */
export interface DecodeStream {
  /** What is certain after this token. */
  push(token: string): string
  flush(): string
}

/** `eager`: a byte-fallback character is given as soon as it is complete, though its run of bytes goes on. */
export type OpenDecoder = (eager: boolean) => DecodeStream

/** Tokens -> text by the rules of tokenizer.json. Without a decoder tokens are joined by spaces. ByteLevel is elsewhere. */
export const decoderOf = (rule: Rule | undefined, compile: CompileRegex): OpenDecoder => {
  const build =
    rule === undefined
      ? [() => new MapStage((token, first) => (first ? token : ` ${token}`))]
      : stagesOf(rule, compile, false).stages
  return (eager) => chain(build.map((make) => make(eager)))
}

type MakeStage = (eager: boolean) => Stage
interface Stages {
  readonly stages: ReadonlyArray<MakeStage>
  /** From here on all tokens are one. */
  readonly fused: boolean
}

const stagesOf = (rule: Rule, compile: CompileRegex, fused: boolean): Stages => {
  if (typeOf(rule) === "Sequence") {
    const stages: Array<MakeStage> = []
    for (const step of rulesOf(rule, "decoders")) {
      const inner = stagesOf(step, compile, fused)
      stages.push(...inner.stages)
      fused = inner.fused
    }
    return { stages, fused }
  }
  if (typeOf(rule) === "Fuse") return { stages: [() => new FuseStage()], fused: true }
  if (typeOf(rule) === "Strip") {
    const [content, start, stop] = [textOf(rule, "content", " "), countOf(rule, "start"), countOf(rule, "stop")]
    return { stages: [() => new StripStage(content, start, stop, fused)], fused }
  }
  const make = stageOf(rule, compile)
  // A rule that looks at whole tokens must see the one token whole.
  return { stages: fused ? [() => new HoldAll(), make] : [make], fused }
}

const stageOf = (rule: Rule, compile: CompileRegex): MakeStage => {
  switch (typeOf(rule)) {
    case "ByteFallback":
      return (eager) => new ByteFallbackStage(eager)
    case "Replace": {
      const pattern = patternOf(rule, compile)
      const content = textOf(rule, "content")
      return () => new MapStage((token) => token.replace(pattern, () => content))
    }
    case "Metaspace": {
      const mark = textOf(rule, "replacement", "▁")
      const scheme = textOf(rule, "prepend_scheme", flagOf(rule, "add_prefix_space", true) ? "always" : "never")
      return () => new MapStage((token, first) => token.replaceAll(mark, first && scheme !== "never" ? "" : " "))
    }
    case "WordPiece": {
      const prefix = textOf(rule, "prefix", "##")
      const clean = flagOf(rule, "cleanup", true) ? wordPieceCleanup : (text: string) => text
      return () => new MapStage((token, first) => clean(joinWord(token, first, prefix)))
    }
    default:
      throw new TokenizerFault(`the decoder ${typeOf(rule)} is not known`)
  }
}

const joinWord = (token: string, first: boolean, prefix: string): string => {
  if (first) return token
  return token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`
}

/** The cleanup of the WordPiece decoder, on each token by itself. */
const wordPieceCleanup = (text: string): string => cleanUp(text.replaceAll(" do not", " don't"))

/** `clean_up_tokenization_spaces`: English punctuation loses the space before it. */
export const cleanUp = (text: string): string =>
  text
    .replace(/ ([.?!,])/g, "$1")
    .replaceAll(" ' ", "'")
    .replaceAll(" n't", "n't")
    .replaceAll(" 'm", "'m")
    .replaceAll(" 's", "'s")
    .replaceAll(" 've", "'ve")
    .replaceAll(" 're", "'re")

const chain = (stages: ReadonlyArray<Stage>): DecodeStream => {
  const through = (tokens: ReadonlyArray<string>, from: number): string => {
    for (let i = from; i < stages.length && tokens.length > 0; i++) {
      const stage = stages[i]!
      tokens = tokens.length === 1 ? stage.push(tokens[0]!) : tokens.flatMap((token) => stage.push(token))
    }
    return tokens.length === 1 ? tokens[0]! : tokens.join("")
  }
  return {
    push: (token) => through([token], 0),
    flush: () => {
      let out = ""
      for (let i = 0; i < stages.length; i++) out += through(stages[i]!.flush(), i + 1)
      return out
    }
  }
}
