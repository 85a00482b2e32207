/** What is said of a pickle that stops before its end: whoever reads a part of a file may then read more. */
export const cutOff = "it ends in the middle"

/** Reads little-endian numbers and lines; running past the end is an Error. */
export class PickleReader {
  private at = 0
  private readonly view: DataView

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get position(): number {
    return this.at
  }

  take(count: number): Uint8Array {
    if (!(count >= 0) || this.at + count > this.bytes.length) throw new Error(cutOff)
    this.at += count
    return this.bytes.subarray(this.at - count, this.at)
  }

  u8 = () => this.take(1)[0]!
  u16 = () => this.number(2, (at) => this.view.getUint16(at, true))
  u32 = () => this.number(4, (at) => this.view.getUint32(at, true))
  i32 = () => this.number(4, (at) => this.view.getInt32(at, true))
  f64 = () => this.number(8, (at) => this.view.getFloat64(at, false))
  u64 = () => Number(this.number(8, (at) => this.view.getBigUint64(at, true)))

  text(count: number): string {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(count))
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at)
    if (end < 0) throw new Error(cutOff)
    const text = this.text(end - this.at)
    this.at = end + 1
    return text
  }

  /** Two's complement, little-endian, as Python's long. */
  long(count: number): number | bigint {
    let value = 0n
    const bytes = this.take(count)
    bytes.forEach((byte, index) => {
      value |= BigInt(byte) << BigInt(8 * index)
    })
    const signed = BigInt.asIntN(8 * count, value)
    const exact = Number(signed)
    return Number.isSafeInteger(exact) ? exact : signed
  }

  private number<A>(count: number, read: (at: number) => A): A {
    this.take(count)
    return read(this.at - count)
  }
}
