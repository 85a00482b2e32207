import { clearBit, setBit } from "./bits.ts"
import type { TokenConstraint } from "./constraint.ts"
import type { Arena, State } from "./machine/arena.ts"
import type { TokenTree } from "./vocabulary.ts"

/** Tokens that end an output. */
export interface EndTokens {
  readonly eosTokenIds: ReadonlySet<number>
  readonly stopTokenIds: ReadonlySet<number>
  readonly ignoreEos: boolean
}

/** What a constraint asks of its grammar. */
interface Masks {
  readonly tree: TokenTree
  readonly addMask: (arena: Arena, state: State, out: Uint32Array) => void
}

/** One output on its way through a grammar. */
export class GrammarConstraint implements TokenConstraint {
  private ended = false

  constructor(
    private readonly grammar: Masks,
    private readonly arena: Arena,
    private state: State,
    private readonly endIds: ReadonlySet<number>
  ) {}

  get words(): number {
    return this.grammar.tree.words
  }

  get finished(): boolean {
    return this.ended || (this.state.accept && this.state.front.length === 0)
  }

  fillMask(out: Uint32Array, offset: number): void {
    const { words } = this
    const row = out.subarray(offset, offset + words)
    row.fill(0)
    if (!this.finished) this.grammar.addMask(this.arena, this.state, row)
    const mayEnd = this.ended || this.state.accept
    for (const id of this.endIds) {
      if (id >>> 5 >= words) continue
      if (mayEnd) setBit(row, id)
      else clearBit(row, id)
    }
  }

  accept(tokenId: number): void {
    if (this.endIds.has(tokenId)) {
      if (!this.state.accept) throw forbidden(tokenId)
      this.ended = true
      return
    }
    const bytes = this.ended ? undefined : this.grammar.tree.bytesOf(tokenId)
    if (bytes === undefined || bytes.length === 0) throw forbidden(tokenId)
    let state = this.state
    for (const byte of bytes) {
      const next = this.arena.step(state, byte)
      if (next === null) throw forbidden(tokenId)
      state = next
    }
    this.state = state
  }

  fork(): TokenConstraint {
    const fork = new GrammarConstraint(this.grammar, this.arena, this.state, this.endIds)
    fork.ended = this.ended
    return fork
  }
}

const forbidden = (tokenId: number) => new Error(`Token ${tokenId} is none that the constraint's mask allows here.`)
