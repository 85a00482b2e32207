import { writeRows } from "./attention.ts"
import type { Dims, OpRecord, ReferenceContext } from "./op.ts"

/** Rotates G heads of D columns; the first R columns of each turn, the rest pass. */
const rotate = (
  y: Float32Array,
  x: Float32Array,
  table: Float32Array,
  { T, R }: Dims,
  heads: number,
  interleaved: boolean
) => {
  const half = R! / 2
  const D = x.length / T! / heads
  for (let t = 0; t < T!; t++)
    for (let head = 0; head < heads; head++) {
      const at = (t * heads + head) * D
      for (let d = R!; d < D; d++) y[at + d] = x[at + d]!
      for (let i = 0; i < half; i++) {
        const a = at + (interleaved ? 2 * i : i)
        const b = at + (interleaved ? 2 * i + 1 : i + half)
        const cos = table[t * R! + i]!
        const sin = table[t * R! + half + i]!
        const xa = x[a]!
        const xb = x[b]!
        y[a] = xa * cos - xb * sin
        y[b] = xb * cos + xa * sin
      }
    }
}

const frequencies = (count: number) => Float32Array.from({ length: count }, (_, i) => 10000 ** (-i / count))

export const rotary = {
  doc: "table[t, i] = scale * cos(positions[t] * frequency[i]), table[t, R/2 + i] = scale * sin(the same). The angle is the float32 product; one table serves every layer of a step.",
  outputs: { table: "act[T,R]" },
  inputs: { frequency: "f32[F]" },
  attributes: { scale: "f32" },
  reference: ({ table, frequency }, { T, R }, { scale }, { positions }) => {
    const half = R! / 2
    for (let t = 0; t < T!; t++)
      for (let i = 0; i < half; i++) {
        const angle = Math.fround(positions[t]! * frequency![i]!)
        table![t * R! + i] = Math.cos(angle) * scale!
        table![t * R! + half + i] = Math.sin(angle) * scale!
      }
  },
  cases: () => [
    { dims: { T: 1, R: 64, F: 32 }, attributes: { scale: 1 }, operands: { frequency: frequencies } },
    {
      dims: { T: 40, R: 16, F: 8 },
      attributes: { scale: 1.2 },
      operands: { frequency: frequencies },
      sequences: [
        { cached: 30, tokens: 1 },
        { cached: 0, tokens: 39 }
      ]
    }
  ],
  tolerance: { float32: 1e-6, bfloat16: 1e-6, float16: 1e-6 }
} satisfies OpRecord

export const rope = {
  doc: "Rotary position embedding of `heads` heads of D columns by the rotary table: pairs (i, i + R/2), or (2i, 2i + 1) when interleaved; columns past R pass. Su et al. 2021.",
  outputs: { y: "act[T,G*D]" },
  inputs: { x: "act[T,G*D]", table: "act[T,R]" },
  attributes: { heads: "i32", interleaved: "i32" },
  reference: ({ y, x, table }, dims, { heads, interleaved }) => rotate(y!, x!, table!, dims, heads!, interleaved === 1),
  cases: ({ normal }) =>
    [
      { T: 5, G: 4, D: 32, R: 32, interleaved: 0 },
      { T: 3, G: 2, D: 24, R: 16, interleaved: 0 },
      { T: 1, G: 9, D: 64, R: 64, interleaved: 1 }
    ].map(({ interleaved, ...dims }) => ({
      dims,
      attributes: { heads: dims.G, interleaved },
      operands: { x: normal(1), table: normal(0.7) }
    })),
  tolerance: { float32: 1e-6, bfloat16: 1e-6, float16: 1e-6 }
} satisfies OpRecord

export const ropeKvWrite = {
  doc: "y = rope(q); rope(k) and v are rounded and written to the cache: rope and kvWrite in one pass.",
  outputs: { y: "act[T,A*D]" },
  inputs: { q: "act[T,A*D]", k: "act[T,G*D]", v: "act[T,G*E]", table: "act[T,R]" },
  attributes: { heads: "i32", kvHeads: "i32", interleaved: "i32", group: "i32", layer: "i32", dtype: "dtype" },
  reference: ({ y, q, k, v, table }, dims, a, context: ReferenceContext) => {
    rotate(y!, q!, table!, dims, a.heads!, a.interleaved === 1)
    const turned = new Float32Array(k!.length)
    rotate(turned, k!, table!, dims, a.kvHeads!, a.interleaved === 1)
    writeRows(turned, v!, dims.T!, a, context)
  },
  cases: ({ normal }) =>
    [
      { T: 6, A: 4, G: 2, D: 32, E: 32, R: 32 },
      { T: 19, A: 2, G: 2, D: 24, E: 24, R: 16 }
    ].map((dims) => ({
      dims,
      attributes: { heads: dims.A, kvHeads: dims.G, interleaved: 0, group: 0, layer: 0 },
      operands: { q: normal(1), k: normal(1), v: normal(1), table: normal(0.7) },
      sequences: [
        { cached: 21, tokens: 1 },
        { cached: 3, tokens: dims.T - 1 }
      ]
    })),
  tolerance: { float32: 1e-6, bfloat16: 2 ** -8, float16: 2 ** -11 }
} satisfies OpRecord
