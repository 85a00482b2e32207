import { everything, type Ranges, union } from "./charset.ts"
import { makeNetwork } from "./machine/flatten.ts"
import { prune } from "./prune.ts"
import type { GrammarSource } from "./source.ts"
import { kindOf, sourceGrammar, within } from "./sourceGrammar.ts"
import { type LocalMasks, TokenGrammar } from "./tokenGrammar.ts"
import type { TokenTree } from "./vocabulary.ts"

/** Characters that a vocabulary can write whatever stands before: those whose bytes are tokens by themselves. */
const writableBy = ({ single }: TokenTree): Ranges => {
  const ranges: Array<readonly [number, number]> = []
  for (let byte = 0; byte < 0x80; byte++) if (single[byte] === 1) ranges.push([byte, byte])
  // Bytes of longer characters: 0x80 to 0xf4 but those that UTF-8 never has.
  const all = single.every((has, byte) => has === 1 || byte < 0x80 || byte === 0xc0 || byte === 0xc1 || byte > 0xf4)
  return union(ranges, all ? [[0x80, 0x10ffff]] : [])
}

/**
 * A grammar over a vocabulary, ready to start. Answers in pieces of a few milliseconds, so that a caller may do other things
 * between them. Throws GrammarFault.
 */
export function* compileGrammar(
  source: GrammarSource,
  tree: TokenTree,
  shared: LocalMasks
): Generator<void, TokenGrammar> {
  const grammar = sourceGrammar(source)
  yield
  const writable = writableBy(tree)
  const whole = union(writable).join() === everything.join()
  const network = within(kindOf(source), () => makeNetwork(prune(grammar, writable, whole)))
  const made = new TokenGrammar(network, tree, shared)
  yield* made.warm()
  return made
}
