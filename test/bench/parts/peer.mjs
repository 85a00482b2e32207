import { setTimeout } from "node:timers/promises"
import { mean, median, percent, round, steadyRate } from "../lib/numbers.mjs"
import { pair } from "../lib/pair.mjs"
import { buildPeak, measurePeak, measureReads } from "../lib/peak.mjs"
import { needDist, needPeer } from "../lib/places.mjs"
import { openSide } from "../lib/side.mjs"

const threads = 2

/** A core that has just multiplied as fast as it can runs some seconds slower: 6% seen after the peak's AMX. */
const rest = () => setTimeout(3000)

const combine = (keys, how) => (a, b) => ({
  ...a,
  ...Object.fromEntries(keys.map((key) => [key, how([a[key], b[key]])]))
})

/** What the machine gives is measured before and after us. Of arithmetic the better reading counts. */
const arithmetic = {
  measure: measurePeak,
  rest,
  of: combine(["read1", "read2", "flops1", "flops2", "fma2", "amx2"], (readings) => Math.max(...readings))
}

/** Memory is shared with the neighbours, and its speed drifts by the second: we follow at once, and the mean of both readings counts. */
const memory = { measure: measureReads, rest: () => {}, of: combine(["read1", "read2"], mean) }

/** Rounds of machine, ours, machine, peer, one after another, both sides loaded all the while; the figure is the median round's. */
const sideBySide = async ({ rounds, engine, machine = arithmetic }, measure) => {
  needDist()
  needPeer()
  buildPeak()
  const model = pair()
  const sides = [openSide("ours", { pair: model, threads, engine }), openSide("peer", { pair: model, threads })]
  try {
    await Promise.all(sides.map((side) => side.ready))
    for (const side of sides) await measure(side, -1) // warm: packing, page cache, contexts
    const results = []
    for (let r = 0; r < rounds; r++) {
      const before = machine.measure()
      await machine.rest()
      const ours = await measure(sides[0], r)
      await machine.rest()
      const peak = machine.of(before, machine.measure())
      await machine.rest()
      const peer = await measure(sides[1], r)
      await machine.rest()
      results.push({ ours: round(ours), peer: round(peer), peak })
      console.error(`  round ${r + 1}: ours ${round(ours)}, peer ${round(peer)} tokens/s`)
    }
    return { model, results }
  } finally {
    for (const side of sides) side.close()
  }
}

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
  const { model, results } = await sideBySide({ rounds: 3 * rounds, machine: memory }, each)
  return {
    workload: workload(model, "one stream, 8 prompt tokens, 96 new, reads of 3 s before and after each round of ours"),
    figures: { ...summary(results), shareOfReadBandwidth: readShare(results, model, 1) },
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
