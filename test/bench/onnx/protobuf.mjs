// The little of protobuf that an ONNX file needs. A message is a list of buffers, kept apart: weights are never copied.

const varint = (value) => {
  const bytes = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return Buffer.from([...bytes, Number(rest)])
}

const sizeOf = (chunks) => chunks.reduce((sum, chunk) => sum + chunk.length, 0)
const tag = (field, wire) => varint((field << 3) | wire)

export const int = (field, value) => [tag(field, 0), varint(value)]
export const float = (field, value) => {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return [tag(field, 5), bytes]
}
/** A message, a text or raw bytes. */
export const bytes = (field, value) => {
  const chunks = Array.isArray(value) ? value : [Buffer.isBuffer(value) ? value : Buffer.from(value)]
  return [tag(field, 2), varint(sizeOf(chunks)), ...chunks]
}
