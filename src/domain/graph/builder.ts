import { type Activation, activationCode } from "../ops/activation.ts"
import { embedSources } from "../ops/embed.ts"
import type { OpName } from "../ops/table.ts"
import type { CacheGroup, PlanWeight, WeightSegment } from "../plan/plan.ts"
import { type Dtype, dtypeCode } from "../tensor/dtype.ts"
import type { TensorNaming } from "../weights/checkpoint.ts"
import type { Graph, GraphHead, GraphOperand, Node, Ref, Value } from "./graph.ts"

const none: GraphOperand = { kind: "none" }

/** Where and how wide attention's heads are, and which cache it reads. */
export interface HeadLayout {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly group: number
  readonly layer: number
}

/** The words a family is written in. Every word appends one node; `finish` gives the graph. Tensor names are checkpoint names without `.weight`. */
export class GraphBuilder {
  private readonly values: Array<Value> = []
  private readonly nodes: Array<Node> = []
  private readonly weights: Array<PlanWeight> = []
  private readonly groups: Array<CacheGroup> = []

  constructor(
    readonly architecture: string,
    readonly dtype: Dtype,
    readonly kvDtype: Dtype
  ) {}

  /** y = table[token] (or table[position + offset]) * scale. */
  embed(
    table: string,
    rows: number,
    columns: number,
    options?: { source?: keyof typeof embedSources; offset?: number; scale?: number }
  ): Ref {
    const weight = this.checkpoint("table", `${table}.weight`, rows, columns, false)
    return this.node("embed", "tokens", columns, [weight], {
      source: embedSources[options?.source ?? "tokens"],
      offset: options?.offset ?? 0,
      scale: options?.scale ?? 1
    })
  }

  /** y = x W^T + b. `transposed`: the checkpoint stores W^T. */
  linear(x: Ref, name: string, columns: number, options?: { bias?: boolean; transposed?: boolean }): Ref {
    const weight = this.checkpoint("linear", `${name}.weight`, columns, x.columns, options?.transposed ?? false)
    const bias = options?.bias ? this.vector(`${name}.bias`, columns) : none
    return this.node("linear", this.rowsOf(x), columns, [x, weight, bias], { dtype: dtypeCode(this.dtype) })
  }

  /** y = x W^T of the rows `rows` of a weight with `total` rows. */
  linearRows(x: Ref, name: string, rows: ReadonlyArray<number>, total: number): Ref {
    const tensor = `${name}.weight`
    const segments = rows.map((rowStart) => ({ tensor, rowStart, rows: 1, transposed: false, tensorRows: total }))
    const weight = this.weight({
      name: `${tensor}[${rows.join(", ")}]`,
      kind: "linear",
      dtype: this.dtype,
      rows: rows.length,
      columns: x.columns,
      source: "checkpoint",
      segments
    })
    return this.node("linear", this.rowsOf(x), rows.length, [x, weight, none], { dtype: dtypeCode(this.dtype) })
  }

  /** Each of `groups` equal parts of a row is normalised by itself, with one weight. */
  rmsNorm(x: Ref, name: string, eps: number, groups = 1): Ref {
    const weight = this.vector(`${name}.weight`, x.columns / groups)
    return this.node("rmsNorm", this.rowsOf(x), x.columns, [x, weight], { groups, eps })
  }

  /** `affine: false`: the checkpoint has neither weight nor bias. */
  layerNorm(x: Ref, name: string, eps: number, affine = true, biased = affine): Ref {
    const weight = affine
      ? this.vector(`${name}.weight`, x.columns)
      : this.constant(`ones ${x.columns}`, new Float32Array(x.columns).fill(1))
    const bias = biased ? this.vector(`${name}.bias`, x.columns) : none
    return this.node("layerNorm", this.rowsOf(x), x.columns, [x, weight, bias], { eps })
  }

  add(stream: Ref, branch: Ref): Ref {
    return this.node("add", this.rowsOf(stream), stream.columns, [stream, branch], {})
  }

  activation(x: Ref, kind: Activation): Ref {
    return this.node("activation", this.rowsOf(x), x.columns, [x], { kind: activationCode(kind) })
  }

  /** f(gate) * up. */
  gated(gate: Ref, up: Ref, kind: Activation): Ref {
    return this.node("gatedActivation", this.rowsOf(gate), gate.columns, [gate, up], { kind: activationCode(kind) })
  }

  /** Cosines and sines of every token's position: one table for all layers that turn by the same frequencies. */
  rotary(name: string, frequency: Float32Array, scale: number): Ref {
    return this.node("rotary", "tokens", 2 * frequency.length, [this.constant(name, frequency)], { scale })
  }

  rope(x: Ref, table: Ref, heads: number): Ref {
    return this.node("rope", "tokens", x.columns, [x, table], { heads, interleaved: 0 })
  }

  /** Names a cache that some layers share; the answer is its index. */
  cacheGroup(group: Omit<CacheGroup, "dtype">): number {
    return this.groups.push({ ...group, dtype: this.kvDtype }) - 1
  }

  /** Writes K and V to the cache, then reads it with q. */
  attend(
    q: Ref,
    k: Ref,
    v: Ref,
    layout: HeadLayout,
    options: { readonly scale: number; readonly window: number }
  ): Ref {
    const { heads, kvHeads, headDim, group, layer } = layout
    const cache = { kvHeads, group, layer, dtype: dtypeCode(this.kvDtype) }
    this.nodes.push({ op: "kvWrite", outputs: [], inputs: [k, v], attributes: cache })
    const valueDim = v.columns / kvHeads
    const attributes = { heads, kvHeads, headDim, valueDim, ...options, group, layer, dtype: cache.dtype }
    return this.node("attention", "tokens", heads * valueDim, [q], attributes)
  }

  /** Every token of a sequence sees every other, or those at most `reach` away (0: all). No cache. */
  attendAll(
    q: Ref,
    k: Ref,
    v: Ref,
    layout: Pick<HeadLayout, "heads" | "kvHeads" | "headDim">,
    options: { readonly scale: number; readonly reach: number }
  ): Ref {
    const { heads, kvHeads, headDim } = layout
    const valueDim = v.columns / kvHeads
    const attributes = { heads, kvHeads, headDim, valueDim, ...options, dtype: dtypeCode(this.kvDtype) }
    return this.node("encoderAttention", "tokens", heads * valueDim, [q, k, v], attributes)
  }

  /** Row t: the mean of x over the tokens of its sequence up to t. */
  runningMean(x: Ref): Ref {
    return this.node("runningMean", "tokens", x.columns, [x], {})
  }

  /** Opens a head: only the rows that are wanted go on. */
  gatherRows(x: Ref): Ref {
    return this.node("gatherRows", "outputs", x.columns, [x], {})
  }

  /** Columns of a value, by name of a part: no node, a view. */
  slice(x: Ref, column: number, columns: number): Ref {
    return { ...x, column: x.column + column, columns }
  }

  finish(head: GraphHead, naming: TensorNaming): Graph {
    return {
      architecture: this.architecture,
      dtype: this.dtype,
      values: this.values,
      nodes: this.nodes,
      weights: this.weights,
      cacheGroups: this.groups,
      head,
      naming
    }
  }

  private rowsOf(x: Ref): Value["rows"] {
    return this.values[x.value]!.rows
  }

  private node(
    op: OpName,
    rows: Value["rows"],
    columns: number,
    inputs: ReadonlyArray<GraphOperand>,
    attributes: Record<string, number>
  ): Ref {
    const value = this.values.push({ rows, columns }) - 1
    this.nodes.push({ op, outputs: [value], inputs, attributes })
    return { kind: "value", value, column: 0, columns }
  }

  private vector(tensor: string, columns: number): GraphOperand {
    const segments = [{ tensor, rowStart: 0, rows: columns, transposed: false }]
    return this.weight({
      name: tensor,
      kind: "vector",
      dtype: "float32",
      rows: 1,
      columns,
      source: "checkpoint",
      segments
    })
  }

  private constant(name: string, values: Float32Array): GraphOperand {
    return this.weight({
      name,
      kind: "vector",
      dtype: "float32",
      rows: 1,
      columns: values.length,
      source: "constant",
      values
    })
  }

  private checkpoint(
    kind: "linear" | "table",
    tensor: string,
    rows: number,
    columns: number,
    transposed: boolean
  ): GraphOperand {
    const segments: ReadonlyArray<WeightSegment> = [{ tensor, rowStart: 0, rows, transposed }]
    return this.weight({ name: tensor, kind, dtype: this.dtype, rows, columns, source: "checkpoint", segments })
  }

  /** One entry for one name and use: a tied table and head are two uses of one tensor. */
  private weight(weight: PlanWeight): GraphOperand {
    const found = this.weights.findIndex(({ name, kind }) => name === weight.name && kind === weight.kind)
    return { kind: "weight", weight: found >= 0 ? found : this.weights.push(weight) - 1 }
  }
}
