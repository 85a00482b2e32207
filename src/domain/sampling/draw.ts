import type { OutputRows } from "../batch/step.ts"
import { uniform } from "./generator.ts"

/** How one row is drawn; the words are those of `OutputRows`. */
export interface DrawParams {
  /** 0: greedy. */
  readonly temperature: number
  /** Keep the k greatest logits, ties with the k-th too. 0: off. */
  readonly topK: number
  /** 1: off. */
  readonly topP: number
  /** Drop what is less than `minP` times as probable as the best. 0: off. */
  readonly minP: number
  readonly seedLow: number
  readonly seedHigh: number
  readonly outputIndex: number
}

/** Sums over the vocabulary go chunk by chunk, merged in order. */
const chunkTokens = 1024

const massOf = (weights: Float32Array, from: number, to: number): number => {
  let mass = 0
  for (let i = from; i < to; i++) mass += weights[i]!
  return mass
}

/** The lowest id of the greatest logit. */
export const argmax = (logits: Float32Array): number => {
  let best = 0
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i
  return best
}

/** By falling logit, of equals the lower id first, a token stays while those before it hold less than `topP` of the mass. */
const keepNucleus = (weights: Float32Array, logits: Float32Array, topP: number): void => {
  const wanted = topP * massOf(weights, 0, weights.length)
  const order = Int32Array.from(weights.keys())
    .filter((id) => weights[id]! > 0)
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
  let before = 0
  order.forEach((id, place) => {
    const stays = place === 0 || before < wanted
    before += weights[id]!
    if (!stays) weights[id] = 0
  })
}

/**
 * What each token weighs in the draw; the greatest logit weighs 1 and 0 is never drawn. The order is vLLM's: temperature, then
 * minP, topK (ties stay) and topP, which drops the least probable tokens whose probabilities together are at most 1 - topP.
 */
export const drawWeights = (logits: Float32Array, params: DrawParams): Float32Array => {
  const weights = new Float32Array(logits.length)
  const best = argmax(logits)
  if (params.temperature === 0) {
    weights[best] = 1
    return weights
  }
  const top = logits[best]!
  for (let i = 0; i < logits.length; i++)
    weights[i] = Math.exp(Math.fround(Math.fround(logits[i]! - top) / params.temperature))
  const least = Math.fround(params.minP)
  if (least > 0) for (let i = 0; i < weights.length; i++) if (weights[i]! < least) weights[i] = 0
  if (params.topK > 0 && params.topK < logits.length) {
    const kth = logits.slice().sort()[logits.length - params.topK]!
    for (let i = 0; i < weights.length; i++) if (logits[i]! < kth) weights[i] = 0
  }
  if (params.topP < 1) keepNucleus(weights, logits, params.topP)
  return weights
}

/** The first id at which the running weight passes `fraction` of the whole; fraction in [0, 1). */
export const pickWeighted = (weights: Float32Array, fraction: number): number => {
  const masses: Array<number> = []
  for (let from = 0; from < weights.length; from += chunkTokens)
    masses.push(massOf(weights, from, Math.min(from + chunkTokens, weights.length)))
  const wanted = fraction * masses.reduce((a, b) => a + b, 0)
  let running = 0
  let chosen = 0
  for (let chunk = 0; chunk < masses.length; chunk++) {
    const here = running + masses[chunk]! > wanted
    let inside = running
    for (let i = chunk * chunkTokens; i < Math.min((chunk + 1) * chunkTokens, weights.length); i++) {
      if (weights[i] === 0) continue
      chosen = i
      inside += weights[i]!
      if (here && inside > wanted) return i
    }
    if (here) return chosen // the last token with any weight: rounding ate the rest
    running += masses[chunk]!
  }
  return chosen
}

/** The token that a row draws: one uniform number against the running weights, in the order of ids. */
export const drawToken = (logits: Float32Array, params: DrawParams): number =>
  params.temperature === 0
    ? argmax(logits)
    : pickWeighted(drawWeights(logits, params), uniform(params.seedLow, params.seedHigh, params.outputIndex))

/** Row `r` of a step: what judgeRow asks of a sampler. */
export const drawRow = (logits: Float32Array, rows: OutputRows, r: number): number =>
  drawToken(logits, {
    temperature: rows.temperature[r]!,
    topK: rows.topK[r]!,
    topP: rows.topP[r]!,
    minP: rows.minP[r]!,
    seedLow: rows.seed[2 * r]!,
    seedHigh: rows.seed[2 * r + 1]!,
    outputIndex: rows.outputIndex[r]!
  })
