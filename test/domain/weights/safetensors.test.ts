import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import { headerLength, parseHeader } from "../../../src/domain/weights/safetensors.ts"
import { rawSafetensors, safetensors } from "../../support/checkpoints.ts"

const parse = (file: Uint8Array) =>
  Either.flatMap(
    Either.mapLeft(headerLength(file.subarray(0, 8), file.length), (problem) => [problem]),
    (length) => parseHeader(file.subarray(8, 8 + length), file.length)
  )
const faults = (file: Uint8Array) => Either.getOrThrow(Either.flip(parse(file))).join("\n")
const entry = (begin: number, end: number, shape = [end - begin], dtype = "U8") => ({
  dtype,
  shape,
  data_offsets: [begin, end]
})
const withHeader = (header: unknown, dataBytes = 8) => rawSafetensors(JSON.stringify(header), new Uint8Array(dataBytes))

describe("safetensors", () => {
  it("finds every tensor where it lies", () => {
    const file = safetensors([
      { name: "a", dtype: "F32", shape: [2, 3], data: new Uint8Array(24).fill(1) },
      { name: "empty", dtype: "F32", shape: [0, 3], data: new Uint8Array(0) },
      { name: "b", dtype: "BF16", shape: [], data: new Uint8Array(2).fill(2) },
      { name: "ids", dtype: "I64", shape: [1], data: new Uint8Array(8).fill(3) }
    ])
    const tensors = Either.getOrThrow(parse(file))
    expect(tensors.map(({ name }) => name)).toEqual(["a", "empty", "b", "ids"])
    const bytes = tensors.map(({ offset, bytes }) => [...file.subarray(offset, offset + bytes)])
    expect(bytes).toEqual([Array(24).fill(1), [], [2, 2], Array(8).fill(3)])
    expect(tensors[0]).toMatchObject({ dtype: "F32", shape: [2, 3] })
  })

  it.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /has 0 bytes/],
    ["a huge header", rawSafetensors("{}", new Uint8Array(0), 2n ** 63n), /claims 9223372036854775808 bytes; at most/],
    ["a header past the end", rawSafetensors("{}", new Uint8Array(0), 100n), /claims 100 bytes.*ends after 2/],
    ["a header that is not JSON", rawSafetensors("{nope"), /not JSON/],
    ["a header that is not UTF-8", rawSafetensors(new Uint8Array([0x22, 0xff, 0x22])), /not JSON/],
    ["a list as header", withHeader([]), /not a JSON object/],
    ["an entry that is no object", withHeader({ a: 5 }), /tensor a is described by 5/],
    ["an unknown dtype", withHeader({ a: entry(0, 8, [8], "F12") }), /dtype "F12"; known are BOOL/],
    ["a dtype named like a method", withHeader({ a: entry(0, 8, [8], "toString") }), /dtype "toString"/],
    ["a negative extent", withHeader({ a: entry(0, 8, [-8]) }), /shape \[-8\]/],
    ["a fractional extent", withHeader({ a: entry(0, 8, [8.5]) }), /shape \[8.5\]/],
    ["an extent that overflows", withHeader({ a: entry(0, 8, [2 ** 52, 2 ** 52]) }), /needs 2.02/],
    ["offsets the wrong way round", withHeader({ a: entry(8, 0, [8]) }), /data_offsets \[8,0\]/],
    ["a size that is not the shape's", withHeader({ a: entry(0, 8, [3], "F16") }), /spans 8 bytes; F16 \[3\] needs 6/],
    ["offsets out of range", withHeader({ a: entry(0, 16) }), /ends at byte \d+, the file at/],
    ["overlapping tensors", withHeader({ a: entry(0, 6), b: entry(4, 8) }), /b overlaps a by 2 bytes/],
    ["a hole", withHeader({ a: entry(0, 2), b: entry(4, 8) }), /2 bytes between a and the tensor b/],
    ["bytes after the last tensor", withHeader({ a: entry(0, 6) }), /2 bytes at the end/],
    [
      "a tensor described twice",
      rawSafetensors(
        `{"a":${JSON.stringify(entry(0, 8))},"\\u0061" : ${JSON.stringify(entry(0, 8))}}`,
        new Uint8Array(8)
      ),
      /tensor a is described twice/
    ]
  ])("refuses %s", (_, file, fault) => {
    expect(faults(file)).toMatch(fault)
  })

  it("tells all faults at once", () => {
    const found = faults(withHeader({ a: entry(0, 8, [8], "X"), b: entry(0, 8, [1]), c: 1 }))
    expect(found.split("\n")).toHaveLength(3)
  })

  it("answers any bytes with tensors inside the file or with sentences, and never throws", () => {
    const json = FastCheck.json().map((text) => rawSafetensors(text, new Uint8Array(16)))
    const offset = FastCheck.integer({ min: -1, max: 20 })
    const near = FastCheck.dictionary(
      FastCheck.string({ maxLength: 2 }),
      FastCheck.record({
        dtype: FastCheck.constantFrom("U8", "F16", "F32", "Q"),
        shape: FastCheck.array(FastCheck.integer({ min: -1, max: 8 }), { maxLength: 3 }),
        data_offsets: FastCheck.tuple(offset, offset)
      })
    ).map((header) => withHeader(header, 16))
    const any = FastCheck.oneof(FastCheck.uint8Array({ maxLength: 64 }), json, near)
    FastCheck.assert(
      FastCheck.property(any, (file) => {
        const result = parse(file)
        if (Either.isLeft(result)) expect(result.left.length).toBeGreaterThan(0)
        else
          for (const { offset, bytes } of result.right) {
            expect(offset).toBeGreaterThanOrEqual(8)
            expect(offset + bytes).toBeLessThanOrEqual(file.length)
          }
      }),
      { numRuns: 2000 }
    )
  })

  it("refuses every truncation of a good file", () => {
    const file = safetensors([{ name: "a", dtype: "F32", shape: [2], data: new Uint8Array(8) }])
    for (let length = 0; length < file.length; length++)
      expect(Either.isLeft(parse(file.subarray(0, length))), `${length} bytes`).toBe(true)
    expect(Either.isRight(parse(file))).toBe(true)
  })
})
