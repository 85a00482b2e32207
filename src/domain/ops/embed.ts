import type { OpRecord } from "./op.ts"

/** What an embedding's rows are looked up by. */
export const embedSources = { tokens: 0, positions: 1, types: 2 } as const

export const embed = {
  doc: "y[t,h] = table[i[t] + offset, h] * scale, where i is the token ids (source 0), the positions (source 1) or the token types (source 2).",
  outputs: { y: "act[T,H]" },
  inputs: { table: "table[V,H]" },
  attributes: { source: "i32", offset: "i32", scale: "f32" },
  reference: ({ y, table }, { T, H }, { source, offset, scale }, { tokens, positions, tokenTypes }) => {
    const index = [tokens, positions, tokenTypes][source!]!
    for (let t = 0; t < T!; t++) {
      const row = (index[t]! + offset!) * H!
      for (let h = 0; h < H!; h++) y![t * H! + h] = table![row + h]! * scale!
    }
  },
  cases: ({ normal }) => [
    { dims: { T: 5, H: 64, V: 32 }, attributes: { source: 0, offset: 0, scale: 1 }, operands: { table: normal(1) } },
    { dims: { T: 9, H: 80, V: 32 }, attributes: { source: 1, offset: 2, scale: 1 }, operands: { table: normal(1) } },
    { dims: { T: 7, H: 48, V: 2 }, attributes: { source: 2, offset: 0, scale: 1 }, operands: { table: normal(1) } },
    { dims: { T: 1, H: 33, V: 32 }, attributes: { source: 0, offset: 0, scale: 8 }, operands: { table: normal(1) } }
  ],
  tolerance: { float32: 1e-6, bfloat16: 1e-6, float16: 1e-6 }
} satisfies OpRecord
