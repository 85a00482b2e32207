import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { opNames, opRecord } from "../../src/domain/ops/table.ts"
import { dtypes } from "../../src/domain/tensor/dtype.ts"
import { buildHarness, type Harness, hasCompiler } from "../support/cudaHarness.ts"
import { casesOf, distance, make, runReference } from "../support/opCase.ts"

const withKernel = opNames.filter((op) => opRecord(op).cudaMissing === undefined)

/** Every op whose record does not say `cudaMissing` enrols itself: its kernel, run by the host shim, against its reference. */
describe.skipIf(!hasCompiler())("CUDA kernels under the host shim", () => {
  let harness: Harness | undefined
  beforeAll(() => {
    harness = buildHarness()
  }, 120_000)
  afterAll(() => harness?.close())

  it("the module has a kernel for exactly the ops whose records lack cudaMissing", () =>
    expect(harness!.describe().implements.map((code) => opNames[code])).toEqual(withKernel))

  it("a module that is not there is a sentence, not a crash", () => {
    const { reason, devices } = harness!.describe("/nowhere/millrace_cuda.so")
    expect(reason).toContain("this build has no CUDA module (/nowhere/millrace_cuda.so)")
    expect(devices).toEqual([])
  })

  it.each(withKernel.flatMap((op) => dtypes.map((dtype) => ({ op, dtype }))))(
    "$op in $dtype equals its reference, strided rows and stale blocks included",
    ({ op, dtype }) => {
      const record = opRecord(op)
      const cases = casesOf(record).map((opCase) => make(record, opCase, dtype))
      const answers = harness!.run(op, cases, dtype)
      cases.forEach((made, index) => {
        const answer = answers[index]!
        if ("refusal" in answer) throw new Error(`Case ${index} is refused: ${answer.refusal}`)
        runReference(record, made)
        made.operands.forEach(({ name, data }, at) => {
          if (data)
            expect(distance(answer.operands[at]!, data), `${name} of case ${index}`).toBeLessThanOrEqual(
              record.tolerance[dtype]
            )
        })
        if (!("group" in made.attributes)) return
        expect(distance(answer.keys, made.cacheKeys), `keys of case ${index}`).toBeLessThanOrEqual(
          record.tolerance[dtype]
        )
        expect(distance(answer.values, made.cacheValues), `values of case ${index}`).toBeLessThanOrEqual(
          record.tolerance[dtype]
        )
      })
    }
  )

  it("operands that do not fit are refused at the launch by a sentence about their dims", () => {
    const made = make(opRecord("embed"), casesOf(opRecord("embed"))[0]!, "float32")
    const [y, table] = made.operands
    const narrow = { ...y!, columns: 63, data: new Float32Array(5 * 63) }
    const [answer] = harness!.run("embed", [{ ...made, operands: [narrow, table!] }], "float32")
    expect(answer).toEqual({ refusal: expect.stringContaining("embed: y[T,H] and table[V,H] differ in H") })
  })
})
