import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { InvalidRequest } from "../domain/errors.ts"
import type { TokenConstraint } from "../domain/grammar/constraint.ts"
import type { GrammarSource } from "../domain/grammar/source.ts"
import type { TokenizerInstance } from "./Tokenizer.ts"

/** A grammar over one tokenizer's vocabulary. Shared by all requests that ask for it. */
export interface CompiledGrammar {
  /** Where one output stands at its beginning. `endIds` are the tokens that end it: allowed where it may end, nowhere else. */
  readonly start: (endIds: ReadonlySet<number>) => TokenConstraint
}

/**
 * Makes grammars for one tokenizer, and remembers the last ones, so that a schema is compiled once. One per engine.
 *
 * Whoever needs a constraint (structured outputs, `toolChoice: "required"` or a named tool) asks here:
 * ```ts
 * const grammar = yield* grammars.compile({ sequence: [{ text: "<tool_call>" }, { json: schema }] }, "toolChoice")
 * const constraint = grammar.start(new Set([...limits.eosTokenIds, ...limits.stopTokenIds]))
 * ```
 * A forced tool call may also put the source into `params.structuredOutputs` of the request that it submits, when it is one of
 * the five forms that users have.
 */
export interface GrammarInstance {
  /** Refuses what is not supported, cannot be met, or would be too large; `field` names the parameter in the error. Yields. */
  readonly compile: (source: GrammarSource, field?: string) => Effect.Effect<CompiledGrammar, InvalidRequest>
}

export class Grammar extends Context.Tag("millrace/Grammar")<
  Grammar,
  { readonly make: (tokenizer: TokenizerInstance) => GrammarInstance }
>() {}
