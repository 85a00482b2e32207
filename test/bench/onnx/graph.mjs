import { bytes, float, int } from "./protobuf.mjs"

const types = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 }
const typeOf = (array) =>
  ({ Float32Array: 1, Uint8Array: 2, Int8Array: 3, Int32Array: 6, BigInt64Array: 7 })[array.constructor.name]

const attribute = (name, value) => {
  const own = bytes(1, name)
  // AttributeProto: i = 3 with type INT (2), f = 2 with type FLOAT (1).
  const rest = Number.isInteger(value) ? [...int(3, value), ...int(20, 2)] : [...float(2, value), ...int(20, 1)]
  return bytes(5, [...own, ...rest])
}

const shape = (dims) =>
  bytes(
    2,
    dims.flatMap((dim) => bytes(1, typeof dim === "string" ? bytes(2, dim) : int(1, dim)))
  )

const valueInfo = (field, [name, type, dims]) =>
  bytes(field, [...bytes(1, name), ...bytes(2, bytes(1, [...int(1, types[type]), ...shape(dims)]))])

/** Gathers nodes and weights; every call answers the name of its result. */
export class OnnxGraph {
  #nodes = []
  #weights = []
  #count = 0

  weight(data, dims, name = `w${this.#count++}`) {
    const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    const dimensions = dims.flatMap((dim) => int(1, dim))
    this.#weights.push(bytes(5, [...dimensions, ...int(2, typeOf(data)), ...bytes(8, name), ...bytes(9, raw)]))
    return name
  }

  op(type, inputs, attributes = {}, { domain = "", output = `v${this.#count++}` } = {}) {
    this.#nodes.push(
      bytes(1, [
        ...inputs.flatMap((input) => bytes(1, input)),
        ...bytes(2, output),
        ...bytes(4, type),
        ...Object.entries(attributes).flatMap(([name, value]) => attribute(name, value)),
        ...bytes(7, domain)
      ])
    )
    return output
  }

  /** The file's bytes, in pieces. */
  model(inputs, outputs) {
    const graph = [
      ...this.#nodes.flat(),
      ...bytes(2, "bench"),
      ...this.#weights.flat(),
      ...inputs.flatMap((input) => valueInfo(11, input)),
      ...outputs.flatMap((output) => valueInfo(12, output))
    ]
    const opset = (domain, version) => bytes(8, [...bytes(1, domain), ...int(2, version)])
    return [...int(1, 8), ...bytes(7, graph), ...opset("", 17), ...opset("com.microsoft", 1)]
  }
}
