import type { GenerationDelta, PromptLogprobs, RequestMetrics, TokenLogprobs, Usage } from "./outputs.ts"
import type { FinishReason } from "./sequence.ts"

export type OutputKind = "cumulative" | "delta" | "final"

/** What goes out with a request's last delta. */
export interface Tail {
  readonly usage: Usage
  readonly metrics: RequestMetrics
}

interface Slot {
  dirty: boolean
  text: string
  tokenIds: Array<number>
  logprobs: Array<TokenLogprobs> | undefined
  finishReason: FinishReason | null
  stopReason: string | number | null
}

const emptySlot = (): Slot => ({
  dirty: false,
  text: "",
  tokenIds: [],
  logprobs: undefined,
  finishReason: null,
  stopReason: null
})

/** What the output sequences of one request have gained since it was last taken; gains of one index merge. */
export class Accrual {
  /** Goes out with the first delta. */
  prompt: { readonly logprobs: PromptLogprobs | null; readonly numCachedTokens: number } | undefined
  tail: Tail | undefined
  /** Tokens not taken yet. */
  unread = 0
  /** Something that a reader should not wait for: the first token, or an index that has ended. */
  urgent = false
  private started = false
  private slots: Array<Slot>

  /** `held`: nothing is given away until `keep` has said which indices are. */
  constructor(
    private readonly requestId: string,
    indices: number,
    private readonly kind: OutputKind,
    private held = false
  ) {
    this.slots = Array.from({ length: indices }, emptySlot)
  }

  /** Forgets all indices but these, which become 0, 1, 2... in this order. */
  keep(indices: ReadonlyArray<number>): void {
    this.slots = indices.map((index) => this.slots[index]!)
    this.held = false
  }

  push(index: number, token: number, text: string, logprobs: TokenLogprobs | undefined): void {
    const slot = this.slots[index]!
    slot.dirty = this.kind !== "final"
    slot.text += text
    slot.tokenIds.push(token)
    if (logprobs !== undefined) {
      slot.logprobs ??= []
      slot.logprobs.push(logprobs)
    }
    this.unread++
    if (!this.started && slot.dirty) this.urgent = true
  }

  /** Ends one index; `text` is what was still held back. */
  finish(index: number, text: string, finishReason: FinishReason, stopReason: string | number | null): void {
    const slot = this.slots[index]!
    slot.dirty = true
    slot.text += text
    slot.finishReason = finishReason
    slot.stopReason = stopReason
    this.urgent = true
  }

  /** One delta for each index that gained something. */
  take(): Array<GenerationDelta> {
    const deltas: Array<GenerationDelta> = []
    if (this.held) return deltas
    let dirty = this.slots.reduce((count, slot) => count + (slot.dirty ? 1 : 0), 0)
    this.slots.forEach((slot, index) => {
      if (slot.dirty) deltas.push(this.delta(slot, index, --dirty === 0))
    })
    this.unread = 0
    this.urgent = false
    return deltas
  }

  private delta(slot: Slot, index: number, last: boolean): GenerationDelta {
    const { text, tokenIds, logprobs, finishReason, stopReason } = slot
    const prompt = this.started ? undefined : this.prompt
    this.started = true
    Object.assign(slot, emptySlot())
    // Each delta of this kind repeats what came before, in arrays of its own.
    if (this.kind === "cumulative") Object.assign(slot, { text, tokenIds: [...tokenIds], logprobs: logprobs?.slice() })
    return {
      requestId: this.requestId,
      index,
      text,
      tokenIds,
      ...(logprobs === undefined ? {} : { logprobs }),
      finishReason,
      stopReason,
      ...(prompt === undefined ? {} : { prompt }),
      ...(last && this.tail !== undefined ? this.tail : {})
    }
  }
}
