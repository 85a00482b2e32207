import type { TokenConstraint } from "../grammar/constraint.ts"
import type { BlockTable } from "../kv/blockTable.ts"
import type { PoolTarget } from "../pooling/target.ts"
import type { DrawParams } from "../request/sequence.ts"
import type { PooledRows } from "../schedule/scheduler.ts"

/** Whose parameters a row is drawn with. */
export interface PackedRow {
  readonly entry: { readonly seedLow: number; readonly seedHigh: number }
  readonly sequence: {
    readonly tokens: ReadonlyArray<number>
    readonly promptLength: number
    readonly draw: DrawParams
    readonly constraint?: TokenConstraint
    readonly blocks: BlockTable
    readonly pool?: PoolTarget
  }
}

/** What packing needs to know of one sequence's share of a step. */
export interface PackedPart extends PackedRow {
  readonly start: number
  readonly tokens: number
  readonly rowStart: number
  readonly rows: number
  readonly draws: boolean
  /** Those that draw their first token at the same position: the last rows, behind the sequence's own. */
  readonly forks: ReadonlyArray<PackedRow["entry"] & Pick<PackedRow, "sequence">>
  /** Output row of the step before that brings the part's last token; -1: all its tokens are known. */
  readonly link: number
  /** Of a sequence with a `pool` target. */
  readonly pooled: PooledRows | undefined
  /** Where its running sum is kept; -1: nowhere. */
  readonly carry: number
}

/** What packing needs to know of a step. */
export interface PackedStep {
  readonly step: number
  readonly parts: ReadonlyArray<PackedPart>
  readonly totalTokens: number
  readonly totalRows: number
  readonly copies: ReadonlyArray<number>
  readonly totalPooled: number
  readonly totalEach: number
}
