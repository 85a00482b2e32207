import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { InvalidRequest } from "../domain/errors.ts"
import { compileGrammar } from "../domain/grammar/compile.ts"
import { GrammarFault } from "../domain/grammar/fault.ts"
import type { GrammarSource } from "../domain/grammar/source.ts"
import type { LocalMasks, TokenGrammar } from "../domain/grammar/tokenGrammar.ts"
import { makeTokenTree, type TokenTree } from "../domain/grammar/vocabulary.ts"
import { Grammar, type GrammarInstance } from "../services/Grammar.ts"
import type { TokenizerInstance } from "../services/Tokenizer.ts"

/** Compiled grammars that an engine remembers, the last used ones. */
const remembered = 64

/** Milliseconds of work between two looks at the event loop, where steps wait to be handed on. */
const slice = 4

/** Lets whatever waits in the event loop run; Effect's own yield would not. */
const breathe = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

/** Runs work that comes in pieces. */
const pump = <A>(work: Generator<void, A>): Effect.Effect<A> =>
  Effect.suspend(() => {
    const until = performance.now() + slice
    for (;;) {
      const piece = work.next()
      if (piece.done === true) return Effect.succeed(piece.value)
      if (performance.now() > until) return Effect.zipRight(breathe, pump(work))
    }
  })

/** What is wrong with a grammar is the request's error; anything else is a defect. */
const refuse = (field: string) => (defect: unknown) => {
  if (defect instanceof GrammarFault) return Effect.fail(defect.toRequest(field))
  if (!(defect instanceof RangeError)) return Effect.die(defect)
  const given = "something nested too deeply"
  return Effect.fail(new InvalidRequest({ field, given, expected: "what a stack can hold", mend: "Flatten it." }))
}

const changesText = (field: string) =>
  new InvalidRequest({
    field,
    given: "a grammar",
    expected: "nothing",
    mend: "This checkpoint's tokenizer changes the spaces of what it has decoded: no grammar can hold."
  })

const make = (tokenizer: TokenizerInstance, vocabSize: number): GrammarInstance => {
  const { tokenBytes } = tokenizer
  const known = new Map<string, TokenGrammar>()
  const shared: LocalMasks = new Map()
  // One at a time: requests that bring the same schema at once compile it once.
  const turn = Effect.unsafeMakeSemaphore(1)
  let tree: TokenTree | undefined

  const remember = (key: string, grammar: TokenGrammar) => {
    known.delete(key)
    known.set(key, grammar)
    if (known.size > remembered) known.delete(known.keys().next().value!)
    return grammar
  }

  const build = Effect.fnUntraced(function* (source: GrammarSource, key: string) {
    const made = known.get(key)
    if (made !== undefined || tokenBytes === undefined) return made
    tree ??= yield* pump(makeTokenTree(vocabSize, (id) => (id < tokenizer.vocabSize ? tokenBytes(id) : undefined)))
    return remember(key, yield* pump(compileGrammar(source, tree, shared)))
  })

  const compile: GrammarInstance["compile"] = (source, field = "structuredOutputs") =>
    Effect.suspend(() => {
      if (tokenBytes === undefined) return changesText(field)
      const key = JSON.stringify(source)
      const found = known.get(key)
      if (found !== undefined) return Effect.succeed(remember(key, found))
      return Effect.flatMap(turn.withPermits(1)(build(source, key)), (grammar) =>
        grammar === undefined ? changesText(field) : Effect.succeed(grammar)
      )
    }).pipe(Effect.catchAllDefect(refuse(field)))
  return { compile }
}

/** Our own automata over bytes. */
export const layer: Layer.Layer<Grammar> = Layer.succeed(Grammar, { make })
