import { OnnxGraph } from "./graph.mjs"

const microsoft = { domain: "com.microsoft" }

/** y = x W^T as the file has it: W is stored [outputs, inputs], ONNX wants it turned. */
const turned = (weight, outputs, inputs) => {
  const out = new Float32Array(weight.length)
  for (let o = 0; o < outputs; o++) for (let i = 0; i < inputs; i++) out[i * outputs + o] = weight[o * inputs + i]
  return out
}

/** Symmetric int8 by column, as Optimum's dynamic quantisation stores it. */
const quantised = (matrix, inputs, outputs) => {
  const data = new Int8Array(matrix.length)
  const scales = new Float32Array(outputs)
  for (let o = 0; o < outputs; o++) {
    let most = 0
    for (let i = 0; i < inputs; i++) most = Math.max(most, Math.abs(matrix[i * outputs + o]))
    scales[o] = most / 127 || 1
    for (let i = 0; i < inputs; i++) data[i * outputs + o] = Math.round(matrix[i * outputs + o] / scales[o])
  }
  return { data, scales }
}

/**
 * A BERT or XLM-R encoder with the operators that ONNX Runtime's own optimiser would fuse an export into (fused attention,
 * skip and layer norm, Gelu, dynamic int8 matrix products): the peer at its best.
 */
export const bertOnnx = (c, tensors, { int8 = false } = {}) => {
  const g = new OnnxGraph()
  const H = c.hidden
  const of = (name) => tensors.get(name)
  const vector = (name) => g.weight(of(name), [of(name).length])
  const linear = (x, name, outputs, inputs) => {
    const matrix = turned(of(`${name}.weight`), outputs, inputs)
    const bias = vector(`${name}.bias`)
    if (!int8) return g.op("Add", [g.op("MatMul", [x, g.weight(matrix, [inputs, outputs])]), bias])
    const { data, scales } = quantised(matrix, inputs, outputs)
    const zero = g.weight(new Int8Array(outputs), [outputs])
    const operands = [x, g.weight(data, [inputs, outputs]), g.weight(scales, [outputs]), zero, bias]
    return g.op("DynamicQuantizeMatMul", operands, {}, microsoft)
  }
  const norm = (x, skip, name) =>
    g.op(
      "SkipLayerNormalization",
      [x, skip, vector(`${name}.weight`), vector(`${name}.bias`)],
      { epsilon: c.eps },
      microsoft
    )

  const scalar = (value) => g.weight(BigInt64Array.of(BigInt(value)), [])
  const axis = scalar(1)
  // Positions count the tokens that are no padding: from 0, or behind the padding's own id.
  const counted = g.op("CumSum", ["attention_mask", axis])
  const positions = g.op("Add", [g.op("Mul", [counted, "attention_mask"]), scalar(c.firstPosition - 1)])
  const padded = g.op("Max", [positions, scalar(0)])
  const row = (name, ids, rows) => g.op("Gather", [g.weight(of(name), [rows, H]), ids])
  const words = row("embeddings.word_embeddings.weight", "input_ids", c.vocab)
  const places = row("embeddings.position_embeddings.weight", padded, c.positions)
  const kinds = g.op("Gather", [g.weight(of("embeddings.token_type_embeddings.weight"), [c.types, H]), scalar(0)])
  let x = norm(g.op("Add", [words, kinds]), places, "embeddings.LayerNorm")
  const mask = g.op("Cast", ["attention_mask"], { to: 6 })
  for (let layer = 0; layer < c.layers; layer++) {
    const name = `encoder.layer.${layer}`
    const [q, k, v] = ["query", "key", "value"].map((part) => linear(x, `${name}.attention.self.${part}`, H, H))
    const attended = g.op("MultiHeadAttention", [q, k, v, "", mask], { num_heads: c.heads }, microsoft)
    x = norm(linear(attended, `${name}.attention.output.dense`, H, H), x, `${name}.attention.output.LayerNorm`)
    const inner = g.op("Gelu", [linear(x, `${name}.intermediate.dense`, c.inner, H)], {}, microsoft)
    x = norm(linear(inner, `${name}.output.dense`, H, c.inner), x, `${name}.output.LayerNorm`)
  }
  g.op("Identity", [x], {}, { output: "last_hidden_state" })
  const ids = (name) => [name, "int64", ["batch", "tokens"]]
  const inputs = [ids("input_ids"), ids("attention_mask"), ...(c.types > 1 ? [ids("token_type_ids")] : [])]
  return g.model(inputs, [["last_hidden_state", "float32", ["batch", "tokens", H]]])
}
