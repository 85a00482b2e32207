import type { OpRecord } from "./op.ts"

/** Their order is the native enum's. */
export const activations = ["relu", "silu", "gelu", "geluTanh", "tanh", "sigmoid"] as const
export type Activation = (typeof activations)[number]
export const activationCode = (kind: Activation): number => activations.indexOf(kind)

/** Error function by its Taylor and continued forms is overkill here: Abramowitz & Stegun 7.1.26 is too coarse, so W. J. Cody's rational forms are the backend's; this is the integral to float64 by series. */
const erf = (x: number): number => {
  const a = Math.abs(x)
  if (a > 5.9) return Math.sign(x)
  let term = a
  let sum = a
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 400; n++) {
    term *= (-a * a) / n
    sum += term / (2 * n + 1)
  }
  return Math.sign(x) * Math.min(1, (2 / Math.sqrt(Math.PI)) * sum)
}

const functions: Record<Activation, (x: number) => number> = {
  relu: (x) => Math.max(0, x),
  silu: (x) => x / (1 + Math.exp(-x)),
  gelu: (x) =>
    0.5 * x * (1 + (Math.abs(x) > 4 ? Math.sign(x) * erfLarge(Math.abs(x) / Math.SQRT2) : erf(x / Math.SQRT2))),
  geluTanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x))
}

/** erf for x > 2.8 by Lentz's continued fraction of erfc. */
const erfLarge = (x: number): number => {
  let f = 0
  for (let n = 60; n > 0; n--) f = n / 2 / (x + f)
  return 1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + f)
}

const cases = { tolerance: { float32: 2e-6, bfloat16: 2e-6, float16: 2e-6 } }

export const activation = {
  doc: "y = f(x), f by `kind`: relu, silu (x * sigmoid(x)), gelu (exact, by erf), geluTanh (Hendrycks & Gimpel 2016), tanh, sigmoid. y may be x's own buffer.",
  outputs: { y: "act[T,I]" },
  inputs: { x: "act[T,I]" },
  attributes: { kind: "i32" },
  reference: ({ y, x }, _dims, { kind }) => {
    const f = functions[activations[kind!]!]
    for (let i = 0; i < x!.length; i++) y![i] = f(x![i]!)
  },
  cases: ({ normal }) =>
    activations.map((_, kind) => ({ dims: { T: 7, I: 100 }, attributes: { kind }, operands: { x: normal(3) } })),
  ...cases,
  cudaMissing: "the CUDA kernel of activation comes with the CUDA backend"
} satisfies OpRecord

export const gatedActivation = {
  doc: "y = f(gate) * up, f by `kind` as in activation: SwiGLU and its kin, Shazeer 2020.",
  outputs: { y: "act[T,I]" },
  inputs: { gate: "act[T,I]", up: "act[T,I]" },
  attributes: { kind: "i32" },
  reference: ({ y, gate, up }, _dims, { kind }) => {
    const f = functions[activations[kind!]!]
    for (let i = 0; i < gate!.length; i++) y![i] = f(gate![i]!) * up![i]!
  },
  cases: ({ normal }) =>
    activations.map((_, kind) => ({
      dims: { T: 5, I: 90 },
      attributes: { kind },
      operands: { gate: normal(3), up: normal(1) }
    })),
  ...cases,
  cudaMissing: "the CUDA kernel of gatedActivation comes with the CUDA backend"
} satisfies OpRecord
