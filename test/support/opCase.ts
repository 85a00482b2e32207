import type { Fill, Generators, OpCase, OpRecord, ReferenceContext } from "../../src/domain/ops/op.ts"
import { roundTo } from "../../src/domain/ops/round.ts"
import { type Dtype, dtypeCode } from "../../src/domain/tensor/dtype.ts"

/** A generated case made concrete: values rounded to their storage, and a step of paged sequences around them. */
export interface MadeCase {
  readonly dims: Readonly<Record<string, number>>
  readonly attributes: Readonly<Record<string, number>>
  readonly operands: ReadonlyArray<MadeOperand>
  readonly context: ReferenceContext
  readonly cacheKeys: Float32Array
  readonly cacheValues: Float32Array
  /** Blocks that this step writes first: what lies there before is stale. */
  readonly openedBlocks: ReadonlyArray<number>
}

/** In the record's order, outputs first. `data` is absent where an optional operand is; outputs start at zero. */
export interface MadeOperand {
  readonly name: string
  readonly output: boolean
  readonly rows: number
  readonly columns: number
  readonly dtype: Dtype
  readonly data?: Float32Array
}

export const blockSize = 16

/** Mulberry32 on a seed drawn from the text. */
export const stream = (seed: string): (() => number) => {
  let state = 0x9e3779b9
  for (const character of seed) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const gauss = (random: () => number) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const filled = (count: number, value: () => number) => Float32Array.from({ length: count }, value)

let streams = 0
const generators: Generators = {
  normal: (deviation) => {
    const random = stream(`normal ${streams++}`)
    return (count) => filled(count, () => gauss(random) * deviation)
  },
  uniform: (low, high) => {
    const random = stream(`uniform ${streams++}`)
    return (count) => filled(count, () => low + random() * (high - low))
  },
  one: (deviation) => {
    const random = stream(`one ${streams++}`)
    return (count) => filled(count, () => 1 + gauss(random) * deviation)
  }
}

/** The record's cases, the same values every time. */
export const casesOf = (record: OpRecord): ReadonlyArray<OpCase> => {
  streams = 0
  return record.cases(generators)
}

/** "act[T,G*H]?" with dims -> kind, rows, columns. */
const shape = (type: string, dims: Record<string, number>) => {
  const [, kind, axes] = /^(\w+)\[([^\]]+)\]\??$/.exec(type)!
  const sizes = axes!.split(",").map((axis) => axis.split("*").reduce((size, dim) => size * dims[dim]!, 1))
  return { kind: kind!, rows: sizes.length === 2 ? sizes[0]! : 1, columns: sizes.at(-1)! }
}

/** Blocks are handed out in a shuffled order, so that a kernel that takes positions for slots is caught. */
const pages = (sequences: ReadonlyArray<{ cached: number; tokens: number }>) => {
  const need = sequences.map(({ cached, tokens }) => Math.ceil((cached + tokens) / blockSize))
  const total = need.reduce((sum, blocks) => sum + blocks, 0) + 2
  const random = stream("pages")
  const ids = Array.from({ length: total - 1 }, (_, i) => i + 1)
  for (let i = ids.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[ids[i], ids[j]] = [ids[j]!, ids[i]!]
  }
  const tables = need.map((blocks) => ids.splice(0, blocks))
  return { total, tables }
}

const step = (dims: Record<string, number>, sequences: ReadonlyArray<{ cached: number; tokens: number }>) => {
  const { total, tables } = pages(sequences)
  const random = stream("tokens")
  const rows = sequences.flatMap(({ cached, tokens }, s) =>
    Array.from({ length: tokens }, (_, i) => ({
      position: cached + i,
      block: tables[s]![Math.floor((cached + i) / blockSize)]!
    }))
  )
  const starts = (counts: ReadonlyArray<number>) =>
    Int32Array.from([0, ...counts.map((_, i) => counts.slice(0, i + 1).reduce((a, b) => a + b, 0))])
  const group = {
    slots: Int32Array.from(rows, ({ position, block }) => block * blockSize + (position % blockSize)),
    blockTables: Int32Array.from(tables.flat()),
    blockTableStarts: starts(tables.map((table) => table.length))
  }
  const context = {
    tokens: Int32Array.from(rows, () => Math.floor(random() * (dims.V ?? 1000))),
    positions: Int32Array.from(rows, ({ position }) => position),
    sequenceStarts: starts(sequences.map(({ tokens }) => tokens)),
    contextLengths: Int32Array.from(sequences, ({ cached, tokens }) => cached + tokens),
    tokenTypes: Int32Array.from(rows, () => Math.floor(random() * (dims.V ?? 2))),
    carries: new Int32Array(sequences.length).fill(-1),
    sums: new Float32Array(0),
    rows: Int32Array.from({ length: dims.R ?? 0 }, (_, r) => Math.floor(((r + 1) * dims.T!) / dims.R!) - 1),
    groups: [group],
    blockSize
  }
  const opened = sequences.flatMap(({ cached }, s) => tables[s]!.slice(Math.ceil(cached / blockSize)))
  return { context, total, opened }
}

/** Keys and values are there for cached positions and, as leftovers, everywhere else but in V of opened blocks, which a write clears. */
export const make = (record: OpRecord, opCase: OpCase, dtype: Dtype): MadeCase => {
  const { dims } = opCase
  const { context, total, opened } = step(dims, opCase.sequences ?? [{ cached: 0, tokens: dims.T! }])
  const dtypes = Object.entries(record.attributes).filter(([, type]) => type === "dtype")
  const attributes = { ...opCase.attributes, ...Object.fromEntries(dtypes.map(([name]) => [name, dtypeCode(dtype)])) }
  const operand =
    (output: boolean) =>
    ([name, type]: [string, string]): MadeOperand => {
      const { kind, rows, columns } = shape(type, dims)
      const stored = kind === "table" || kind === "weight" ? dtype : "float32"
      const fill: Fill | undefined = opCase.operands[name] ?? (output ? (count) => new Float32Array(count) : undefined)
      if (!fill && !type.endsWith("?")) throw new Error(`The case gives no values for the operand ${name}: ${type}.`)
      return {
        name,
        output,
        rows,
        columns,
        dtype: stored,
        ...(fill && { data: fill(rows * columns).map(roundTo(stored)) })
      }
    }
  const round = roundTo(dtype)
  const cache = (seed: string, width: number) => {
    const random = stream(seed)
    return filled(total * blockSize * width, () => round(gauss(random)))
  }
  const heads = dims.G ?? 1
  const cacheKeys = cache("keys", heads * (dims.D ?? 0))
  const valueWidth = heads * (dims.E ?? 0)
  const cacheValues = cache("values", valueWidth)
  for (const block of opened) cacheValues.fill(0, block * blockSize * valueWidth, (block + 1) * blockSize * valueWidth)
  return {
    dims,
    attributes,
    operands: [
      ...Object.entries(record.outputs).map(operand(true)),
      ...Object.entries(record.inputs).map(operand(false))
    ],
    context: { ...context, cache: () => ({ keys: cacheKeys, values: cacheValues }) },
    cacheKeys,
    cacheValues,
    openedBlocks: opened
  }
}

/** Runs the record's reference in place: outputs and cache of `made` hold what is wanted. */
export const runReference = (record: OpRecord, made: MadeCase): void =>
  record.reference(
    Object.fromEntries(made.operands.flatMap(({ name, data }) => (data ? [[name, data]] : []))),
    made.dims,
    made.attributes,
    made.context
  )

/** Greatest |got - want| / (1 + |want|); infinite where one side alone is no number. */
export const distance = (got: Float32Array, want: Float32Array): number => {
  let worst = 0
  for (let i = 0; i < want.length; i++) {
    if (Object.is(got[i], want[i])) continue
    const d = Math.abs(got[i]! - want[i]!) / (1 + Math.abs(want[i]!))
    worst = Math.max(worst, Number.isNaN(d) ? Number.POSITIVE_INFINITY : d)
  }
  return got.length === want.length ? worst : Number.POSITIVE_INFINITY
}
