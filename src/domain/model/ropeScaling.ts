import type { ConfigReader } from "./configReader.ts"

/** Rotary frequencies and the factor on their cosines and sines; `stretch`: by how much the model's length grows. */
export interface RopeTable {
  readonly frequency: Float32Array
  readonly scale: number
  readonly maxPositions: number
}

interface RopeBase {
  readonly base: number
  /** Columns of a head that turn. */
  readonly dim: number
  readonly maxPositions: number
}

const types = ["default", "linear", "dynamic", "llama3", "yarn"] as const

const inverse = (base: number, dim: number): Array<number> =>
  Array.from({ length: dim / 2 }, (_, i) => base ** ((-2 * i) / dim))

const table = (frequency: ReadonlyArray<number>, maxPositions: number, scale = 1): RopeTable => ({
  frequency: Float32Array.from(frequency),
  scale,
  maxPositions
})

/** Wavelengths longer than the original context are divided by `factor`, short ones kept, those between blended. Dubey et al. 2024. */
const llama3 = (r: ConfigReader, { base, dim, maxPositions }: RopeBase): RopeTable => {
  const factor = r.float("factor")
  const low = r.float("low_freq_factor", 1)
  const high = r.float("high_freq_factor", 4)
  const original = r.int("original_max_position_embeddings", 8192)
  r.expect(high > low, `high_freq_factor ${high} must exceed low_freq_factor ${low}.`)
  const frequency = inverse(base, dim).map((f) => {
    const wavelength = (2 * Math.PI) / f
    if (wavelength < original / high) return f
    if (wavelength > original / low) return f / factor
    const smooth = (original / wavelength - low) / (high - low)
    return ((1 - smooth) * f) / factor + smooth * f
  })
  return table(frequency, maxPositions)
}

const mscale = (factor: number, weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1)

/** Interpolates slow frequencies, keeps fast ones, with a linear ramp between two numbers of turns. Peng et al. 2023. */
const yarn = (r: ConfigReader, { base, dim, maxPositions }: RopeBase): RopeTable => {
  const original = r.int("original_max_position_embeddings", maxPositions)
  const factor = r.float("factor", maxPositions / original)
  const fast = r.float("beta_fast", 32)
  const slow = r.float("beta_slow", 1)
  const dimension = (turns: number) => (dim * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base))
  const truncate = r.bool("truncate", true)
  const low = Math.max(0, truncate ? Math.floor(dimension(fast)) : dimension(fast))
  const end = Math.min(dim - 1, truncate ? Math.ceil(dimension(slow)) : dimension(slow))
  const high = low === end ? end + 0.001 : end
  const frequency = inverse(base, dim).map((f, i) => {
    const ramp = Math.min(1, Math.max(0, (i - low) / (high - low)))
    return (f / factor) * ramp + f * (1 - ramp)
  })
  const [over, under] = [r.given("mscale"), r.given("mscale_all_dim")]
  const byBoth = Boolean(over) && Boolean(under)
  const own = byBoth ? mscale(factor, r.float("mscale")) / mscale(factor, r.float("mscale_all_dim")) : mscale(factor, 1)
  return table(frequency, original * factor, r.float("attention_factor", own))
}

/** Positions squeezed by a factor, or, for "dynamic", the base raised once for the whole stretched length, as vLLM has it. */
const stretched = (r: ConfigReader, type: "linear" | "dynamic", { base, dim, maxPositions }: RopeBase): RopeTable => {
  const factor = r.float("factor")
  if (type === "linear")
    return table(
      inverse(base, dim).map((f) => f / factor),
      maxPositions * factor
    )
  const raised = base * (factor * factor - (factor - 1)) ** (dim / (dim - 2))
  return table(inverse(raised, dim), maxPositions * factor)
}

/**
 * Rotary frequencies of a config: `rope_theta` with `rope_scaling` (transformers 4; the type also spelt `type`) or all of
 * it inside `rope_parameters` (transformers 5).
 */
export const readRope = (
  config: ConfigReader,
  headDim: number,
  maxPositions: number,
  defaultBase = 10000
): RopeTable => {
  const path = config.given("rope_parameters") === undefined ? "rope_scaling" : "rope_parameters"
  let result = table([], maxPositions)
  config.nested({ ...config.json, ...config.object(path) }, path, (r) => {
    const base = r.float("rope_theta", defaultBase)
    const dim = Math.trunc(headDim * r.float("partial_rotary_factor", 1))
    r.expect(dim % 2 === 0, `partial_rotary_factor gives ${dim} rotary columns; expected an even number.`)
    const type = r.choice(["rope_type", "type"], types, "default")
    const shape = { base, dim, maxPositions }
    if (type === "default") result = table(inverse(base, dim), maxPositions)
    else if (type === "llama3") result = llama3(r, shape)
    else if (type === "yarn") result = yarn(r, shape)
    else result = stretched(r, type, shape)
  })
  return result
}
