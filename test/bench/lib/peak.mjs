import { execFileSync, spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
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

/** A process that holds its memory and waits: `await reader.read(seconds)` is the GB/s of the fastest of the ways to read it. */
export const openReader = () => {
  const child = spawn(program, ["reads"], { stdio: ["pipe", "pipe", "inherit"] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    read: async (seconds) => {
      child.stdin.write(`${seconds}\n`)
      const { done, value } = await answers.next()
      if (done) throw new Error("peak: the reader ended before it answered")
      return Number(value)
    },
    close: () => child.kill()
  }
}
