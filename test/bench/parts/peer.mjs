import { setTimeout } from "node:timers/promises"
import { mean, median, percent, round, steadyRate } from "../lib/numbers.mjs"
import { pair } from "../lib/pair.mjs"
import { buildPeak, measurePeak, openReader } from "../lib/peak.mjs"
import { needDist, needPeer } from "../lib/places.mjs"
import { openSide } from "../lib/side.mjs"

const threads = 2

/** Our shares are of the better of two readings, before and after us: a neighbour's burst must not make us look good. */
const better = (a, b) => ({
  ...a,
  ...Object.fromEntries(
    ["read1", "read2", "flops1", "flops2", "fma2", "amx2"].map((key) => [key, Math.max(a[key], b[key])])
  )
})

/** A core that has just multiplied as fast as it can runs some seconds slower: 6% seen after the peak's AMX. */
const rest = () => setTimeout(3000)

/** Both sides, loaded and warm, given to `compare`. */
const withSides = async (engine, measure, compare) => {
  needDist()
  needPeer()
  buildPeak()
  const model = pair()
  const sides = [openSide("ours", { pair: model, threads, engine }), openSide("peer", { pair: model, threads })]
  try {
    await Promise.all(sides.map((side) => side.ready))
    for (const side of sides) await measure(side, -1) // warm: packing, page cache, contexts
    return { model, results: await compare(...sides) }
  } finally {
    for (const side of sides) side.close()
  }
}

const told = (r, result) => {
  console.error(`  round ${r + 1}: ours ${result.ours}, peer ${result.peer} tokens/s`)
  return result
}

/** Rounds of peak, ours, peak, peer, one after another with a rest between; the figure is the median round's. */
const sideBySide = ({ rounds, engine }, measure) =>
  withSides(engine, measure, async (us, them) => {
    const results = []
    for (let r = 0; r < rounds; r++) {
      const before = measurePeak()
      await rest()
      const ours = await measure(us, r)
      await rest()
      const peak = better(before, measurePeak())
      await rest()
      const peer = await measure(them, r)
      await rest()
      results.push(told(r, { ours: round(ours), peer: round(peer), peak }))
    }
    return results
  })

/**
 * Rounds of reads, ours, reads, peer. Memory is shared with the neighbours and its speed drifts by the second: reads come
 * right before and right after us, take as long as we do, and their mean counts.
 */
const besideReads = (rounds, measure) =>
  withSides({}, measure, async (us, them) => {
    const reader = openReader()
    const results = []
    try {
      for (let r = 0; r < rounds; r++) {
        const before = await reader.read(1.5)
        const ours = await measure(us, r)
        const after = await reader.read(1.5)
        const peer = await measure(them, r)
        results.push(told(r, { ours: round(ours), peer: round(peer), reads: { before, after } }))
      }
    } finally {
      reader.close()
    }
    return results
  })

const summary = (results) => ({
  ours: median(results.map((r) => r.ours)),
  peer: median(results.map((r) => r.peer)),
  ratio: round(median(results.map((r) => r.ours / r.peer)))
})

const workload = (model, text) =>
  `${model.shape} bf16, ${text}, ${threads} threads; tokens/s, medians of interleaved rounds`

export const decode = async ({ rounds }) => {
  const task = { count: 1, promptTokens: 8, newTokens: 96 }
  const each = async (side) => steadyRate(await side.call("streams", task))
  const { model, results } = await besideReads(3 * rounds, each)
  const share = ({ ours, reads }) => (ours * model.bytes) / 1e9 / mean(Object.values(reads))
  return {
    workload: workload(model, "one stream, 8 prompt tokens, 96 new, reads of 1.5 s before and after"),
    figures: {
      ...summary(results),
      readBandwidth: round(median(results.flatMap(({ reads }) => Object.values(reads)))),
      shareOfReadBandwidth: percent(median(results.map(share)))
    },
    goals: { shareOfReadBandwidth: ">= 92%" },
    rounds: results
  }
}

/** Multiply-adds of the linears alone, as 2 flops: attention is left out, which flatters nobody. */
const shares = (results, flopsAToken) => {
  const of = (peak) => percent(median(results.map((r) => (r.ours * flopsAToken) / 1e9 / r.peak[peak])))
  const amx = results[0].peak.amx2 > 0 ? { shareOfAmxPeak: of("amx2") } : {}
  return { shareOfPeak: of("flops2"), shareOfFmaPeak: of("fma2"), ...amx }
}

/** Of the bandwidth, when every step of so many streams reads all weights once. */
const readShare = (results, model, streams) =>
  percent(median(results.map((r) => ((r.ours / streams) * model.bytes) / 1e9 / Math.max(r.peak.read1, r.peak.read2))))

export const batch32 = async ({ rounds }) => {
  const task = { count: 32, promptTokens: 8, newTokens: 24 }
  const { model, results } = await sideBySide({ rounds }, async (side) => steadyRate(await side.call("streams", task)))
  return {
    workload: workload(model, "32 streams, 8 prompt tokens, 24 new"),
    figures: {
      ...summary(results),
      ...shares(results, 2 * model.parameters),
      shareOfReadBandwidth: readShare(results, model, 32)
    },
    goals: { ratio: ">= 6", shareOfPeak: ">= 60%" },
    rounds: results
  }
}

export const prefill512 = async ({ rounds }) => {
  const promptTokens = 512
  const { model, results } = await sideBySide({ rounds, engine: { maxNumBatchedTokens: 512 } }, async (side, salt) => {
    const ms = await side.call("prefill", { promptTokens, salt: salt + 1 })
    return (promptTokens * 1000) / ms
  })
  const body = 2 * (model.parameters - model.head) + (2 * model.head) / promptTokens
  return {
    workload: workload(
      model,
      "a prompt of 512 tokens in one budget of 512 (ours to the first token, the peer's without sampling)"
    ),
    figures: { ...summary(results), ...shares(results, body) },
    goals: { ratio: ">= 2", shareOfPeak: ">= 75%" },
    rounds: results
  }
}
