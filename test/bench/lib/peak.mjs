import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { bench } from "./places.mjs"

const program = join(bench, "build-peak", "peak")

/** Compiles native/peak.cpp for this machine. */
export const buildPeak = () => {
  mkdirSync(join(bench, "build-peak"), { recursive: true })
  const source = join(bench, "native", "peak.cpp")
  execFileSync(process.env.CXX ?? "c++", ["-std=c++20", "-O3", "-march=native", "-pthread", source, "-o", program])
}

/** { read1, read2 } in GB/s, { flops1, flops2 } in GFLOP/s of the instruction `kind`, fma2 of float32 FMA, amx2 of AMX. Takes about four seconds. */
export const measurePeak = () => JSON.parse(execFileSync(program, { encoding: "utf8" }))

/** { read1, read2 } alone, in three seconds. */
export const measureReads = () => JSON.parse(execFileSync(program, ["reads"], { encoding: "utf8" }))
