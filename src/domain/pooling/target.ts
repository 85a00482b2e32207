/** How one row is made of a sequence's tokens, or which of their rows are given. */
export const poolings = ["CLS", "LAST", "MEAN", "ALL", "STEP"] as const
export type Pooling = (typeof poolings)[number]

/** What a sequence that draws nothing is computed for: rows of the plan's pooler heads. */
export interface PoolTarget {
  /** Position whose row passes the pooled head; -1: none. */
  readonly pooled: number
  /** Ascending positions whose rows pass the head over single tokens. */
  readonly each: ArrayLike<number>
  /** Whether the pooled row is a mean over all tokens up to it. */
  readonly mean: boolean
  /** One a token of the prompt; absent: all 0. */
  readonly tokenTypes?: ArrayLike<number>
}

/** Positions [0, length). */
const all = (length: number): Int32Array => Int32Array.from({ length }, (_, position) => position)

/** The rows that a pooling of a prompt asks for. STEP wants those whose token is `stepTagId`; all, when there is no such id. */
export const poolTarget = (
  pooling: Pooling,
  tokens: ReadonlyArray<number>,
  options: { readonly tokenTypes?: ArrayLike<number>; readonly stepTagId?: number } = {}
): PoolTarget => {
  const types = options.tokenTypes === undefined ? {} : { tokenTypes: options.tokenTypes }
  const last = tokens.length - 1
  if (pooling === "ALL" || pooling === "STEP") {
    const { stepTagId } = options
    const every = all(tokens.length)
    const steps = pooling === "STEP" && stepTagId !== undefined
    return { pooled: -1, each: steps ? every.filter((at) => tokens[at] === stepTagId) : every, mean: false, ...types }
  }
  return { pooled: pooling === "CLS" ? 0 : last, each: [], mean: pooling === "MEAN", ...types }
}

/** Whether blocks of a cached prefix may stand for computed tokens: only where nothing is asked of any token but the last. */
export const readsCache = ({ pooled, each, mean }: PoolTarget, length: number): boolean =>
  !mean && each.length === 0 && pooled === length - 1
