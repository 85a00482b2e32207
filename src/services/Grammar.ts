import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { InvalidRequest } from "../domain/errors.ts"
import type { TokenConstraint } from "../domain/grammar/constraint.ts"
import type { EndTokens } from "../domain/grammar/grammarConstraint.ts"
import type { GrammarSource } from "../domain/grammar/source.ts"
import type { TokenizerInstance } from "./Tokenizer.ts"

/** A grammar over one tokenizer's vocabulary. Shared by all requests that ask for it. */
export interface CompiledGrammar {
  /**
   * Where one output stands at its beginning. Tokens that end it are allowed where it may end and nowhere else; a stop token
   * that writes text is that text as well, and ends the output wherever it is drawn.
   */
  readonly start: (limits: EndTokens) => TokenConstraint
}

/**
 * Makes grammars for one tokenizer, and remembers the last ones, so that a schema is compiled once. One per engine.
 *
 * Whoever needs a constraint (structured outputs, `toolChoice: "required"` or a named tool) asks here:
 * ```ts
 * const grammar = yield* grammars.compile({ sequence: [{ text: "<tool_call>" }, { json: schema }] }, "toolChoice")
 * const constraint = grammar.start(limits)
 * ```
 * A part that submits a request may as well put one of the five forms into its `params.structuredOutputs`.
 */
export interface GrammarInstance {
  /** Refuses what is not supported, cannot be met, or would be too large; `field` names the parameter in the error. Yields. */
  readonly compile: (source: GrammarSource, field?: string) => Effect.Effect<CompiledGrammar, InvalidRequest>
}

export class Grammar extends Context.Tag("millrace/Grammar")<
  Grammar,
  {
    /** `vocabSize` is the model's: its logits of a row, which masks speak of. */
    readonly make: (tokenizer: TokenizerInstance, vocabSize: number) => GrammarInstance
  }
>() {}
