import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bertOnnx } from "../onnx/bert.mjs"

const eps = 1e-12
export const poolShapes = {
  // sentence-transformers/all-MiniLM-L6-v2
  minilm: {
    family: "bert",
    hidden: 384,
    layers: 6,
    heads: 12,
    inner: 1536,
    vocab: 30522,
    positions: 512,
    types: 2,
    firstPosition: 0,
    eps
  },
  // FacebookAI/xlm-roberta-base
  "xlmr-base": {
    family: "xlm-roberta",
    hidden: 768,
    layers: 12,
    heads: 12,
    inner: 3072,
    vocab: 250002,
    positions: 514,
    types: 1,
    firstPosition: 2,
    eps: 1e-5
  }
}

const configs = {
  bert: { architectures: ["BertModel"], model_type: "bert", pad_token_id: 0 },
  "xlm-roberta": {
    architectures: ["XLMRobertaModel"],
    model_type: "xlm-roberta",
    pad_token_id: 1,
    bos_token_id: 0,
    eos_token_id: 2
  }
}

const configOf = (c) => ({
  ...configs[c.family],
  vocab_size: c.vocab,
  hidden_size: c.hidden,
  num_hidden_layers: c.layers,
  num_attention_heads: c.heads,
  intermediate_size: c.inner,
  hidden_act: "gelu",
  max_position_embeddings: c.positions,
  type_vocab_size: c.types,
  layer_norm_eps: c.eps,
  position_embedding_type: "absolute",
  torch_dtype: "float32"
})

/** Noise of a fixed seed, sized so that activations stay near 1. */
const noise = () => {
  let s = 0x9e3779b9
  return (count, size) => {
    const out = new Float32Array(count)
    for (let i = 0; i < count; i++) {
      s ^= s << 13
      s ^= s >>> 17
      s ^= s << 5
      out[i] = ((s >>> 0) / 2 ** 32 - 0.5) * 2 * size
    }
    return out
  }
}

/** Name -> [values, shape], in the spelling of a Hugging Face checkpoint without prefix. */
const tensorsOf = (c) => {
  const draw = noise()
  const tensors = new Map()
  const add = (name, shape, size) =>
    tensors.set(name, [
      draw(
        shape.reduce((a, b) => a * b),
        size
      ),
      shape
    ])
  const norm = (name) => {
    tensors.set(`${name}.weight`, [new Float32Array(c.hidden).fill(1), [c.hidden]])
    add(`${name}.bias`, [c.hidden], 0.02)
  }
  const linear = (name, outputs, inputs) => {
    add(`${name}.weight`, [outputs, inputs], Math.sqrt(3 / inputs))
    add(`${name}.bias`, [outputs], 0.02)
  }
  add("embeddings.word_embeddings.weight", [c.vocab, c.hidden], 0.5)
  add("embeddings.position_embeddings.weight", [c.positions, c.hidden], 0.5)
  add("embeddings.token_type_embeddings.weight", [c.types, c.hidden], 0.5)
  norm("embeddings.LayerNorm")
  for (let layer = 0; layer < c.layers; layer++) {
    const name = `encoder.layer.${layer}`
    for (const part of ["query", "key", "value"]) linear(`${name}.attention.self.${part}`, c.hidden, c.hidden)
    linear(`${name}.attention.output.dense`, c.hidden, c.hidden)
    norm(`${name}.attention.output.LayerNorm`)
    linear(`${name}.intermediate.dense`, c.inner, c.hidden)
    linear(`${name}.output.dense`, c.hidden, c.inner)
    norm(`${name}.output.LayerNorm`)
  }
  return tensors
}

const bytesOf = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)

const writePieces = (path, pieces) => {
  const file = openSync(path, "w")
  for (const piece of pieces)
    for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at, Math.min(piece.length - at, 1 << 28))
  closeSync(file)
}

const safetensors = (tensors) => {
  let end = 0
  const header = {}
  for (const [name, [data, shape]] of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + data.byteLength] }
    end += data.byteLength
  }
  const json = JSON.stringify(header)
  const padded = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  return [length, padded, ...[...tensors.values()].map(([data]) => bytesOf(data))]
}

/**
 * One random encoder as both engines take it: safetensors for ours, ONNX in float32 and int8 for the peer. Made once, kept in
 * MILLRACE_BENCH_POOL (minilm 230 MB, xlmr-base 3 GB).
 */
export const poolModel = (name) => {
  const c = poolShapes[name]
  const folder = join(process.env.MILLRACE_BENCH_POOL ?? join(tmpdir(), "millrace-pool"), name)
  if (existsSync(folder)) return { ...c, name, folder }
  const partial = `${folder}.partial`
  mkdirSync(join(partial, "onnx"), { recursive: true })
  const tensors = tensorsOf(c)
  const values = new Map([...tensors].map(([key, [data]]) => [key, data]))
  writeFileSync(join(partial, "config.json"), JSON.stringify(configOf(c), null, 2))
  writePieces(join(partial, "model.safetensors"), safetensors(tensors))
  writePieces(join(partial, "onnx", "model.onnx"), bertOnnx(c, values))
  writePieces(join(partial, "onnx", "model_quantized.onnx"), bertOnnx(c, values, { int8: true }))
  renameSync(partial, folder)
  return { ...c, name, folder }
}

/** Token ids of texts, special ones at both ends; no two alike. */
export const poolTexts = ({ vocab, firstPosition }, lengths, salt) =>
  lengths.map((length, text) =>
    Array.from({ length }, (_, i) =>
      i === 0
        ? firstPosition === 0
          ? 101
          : 0
        : i === length - 1
          ? firstPosition === 0
            ? 102
            : 2
          : 1000 + ((i * 7919 + text * 104729 + salt * 1299709) % (vocab - 2000))
    )
  )

/** Lengths from 16 to 256, in no order. */
export const mixedLengths = (count) => Array.from({ length: count }, (_, i) => 16 + ((i * 97 + 13) % 241))
