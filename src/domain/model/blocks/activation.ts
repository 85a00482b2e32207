import type { Activation } from "../../ops/activation.ts"
import type { ConfigReader } from "../configReader.ts"

/** Hugging Face's names of activations. */
const names = {
  relu: "relu",
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_new: "geluTanh",
  gelu_fast: "geluTanh",
  gelu_pytorch_tanh: "geluTanh"
} as const satisfies Record<string, Activation>

type Name = keyof typeof names

export const readActivation = (r: ConfigReader, field: string, fallback: Name): Activation =>
  names[r.choice(field, Object.keys(names) as ReadonlyArray<Name>, fallback)]
