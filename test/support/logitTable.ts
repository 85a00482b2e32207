import { rowBytes } from "../../src/domain/plan/memory.ts"
import type { Plan } from "../../src/domain/plan/plan.ts"

/** A model whose logits are a row of its own table: token t asks for row t. */
export const tablePlan = (values: Float32Array, vocabSize: number): Plan => ({
  architecture: "a table of logits",
  dtype: "float32",
  instructions: [
    {
      op: "embed",
      operands: [
        { kind: "view", slot: 0, column: 0, columns: vocabSize },
        { kind: "weight", weight: 0 }
      ],
      attributes: { source: 0, offset: 0, scale: 1 }
    },
    {
      op: "gatherRows",
      operands: [
        { kind: "view", slot: 1, column: 0, columns: vocabSize },
        { kind: "view", slot: 0, column: 0, columns: vocabSize }
      ],
      attributes: {}
    }
  ],
  headStart: 1,
  slots: [
    { rows: "tokens", width: vocabSize, offset: 0 },
    { rows: "outputs", width: vocabSize, offset: 0 }
  ],
  tokenBytes: rowBytes(vocabSize),
  outputBytes: rowBytes(vocabSize),
  weights: [
    {
      name: "table",
      kind: "table",
      dtype: "float32",
      rows: values.length / vocabSize,
      columns: vocabSize,
      source: "constant",
      values
    }
  ],
  cacheGroups: [],
  logits: { kind: "view", slot: 1, column: 0, columns: vocabSize },
  vocabSize
})
