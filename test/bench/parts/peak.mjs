import { median, round } from "../lib/numbers.mjs"
import { buildPeak, measurePeak } from "../lib/peak.mjs"

export const peak = async ({ rounds }) => {
  buildPeak()
  const results = Array.from({ length: rounds }, measurePeak)
  const of = (key) => round(median(results.map((r) => r[key])))
  return {
    workload: `reads of 1 GiB (GB/s); ${results[0].kind} (GFLOP/s), float32 FMA (fma2), bfloat16 AMX (amx2); 1 and 2 threads, medians`,
    figures: {
      read1: of("read1"),
      read2: of("read2"),
      flops1: of("flops1"),
      flops2: of("flops2"),
      fma2: of("fma2"),
      amx2: of("amx2")
    },
    goals: {},
    rounds: results
  }
}
