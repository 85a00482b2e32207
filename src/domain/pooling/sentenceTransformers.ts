import { activations } from "../ops/activation.ts"
import type { DenseChoice } from "./choice.ts"
import type { Pooling } from "./target.ts"

type Json = Readonly<Record<string, unknown>>

/** One entry of modules.json: the last part of its type, and its folder ("" is the checkpoint's own). */
export interface Module {
  readonly kind: string
  readonly type: string
  readonly path: string
}

/** What a Sentence Transformers checkpoint says of its own end. */
export interface SentenceTransformers {
  /** Absent: no Pooling module. */
  readonly pooling?: Pooling
  /** In their order; each one's tensors are `${name}.weight` and `${name}.bias`. */
  readonly dense: ReadonlyArray<DenseChoice & { readonly folder: string }>
  readonly normalize: boolean
}

/** sentence_bert_config.json and its like. */
export interface EncoderSettings {
  /** Tokens that the encoder was made for, special ones included: longer texts are cut. */
  readonly maxLength?: number
  readonly lowercase: boolean
}

/** The names under which Sentence Transformers has written the encoder's settings. */
export const encoderSettingsFiles: ReadonlyArray<string> = [
  "bert",
  "roberta",
  "distilbert",
  "camembert",
  "albert",
  "xlm-roberta",
  "xlnet"
].map((family) => `sentence_${family}_config.json`)

const known = ["Transformer", "Pooling", "Dense", "Normalize", "Dropout"]

/** The entries of a parsed modules.json, or what is wrong with it. */
export const readModules = (json: unknown): ReadonlyArray<Module> | { readonly problem: string } => {
  if (!Array.isArray(json)) return { problem: "modules.json is no list of modules" }
  const modules: Array<Module> = []
  for (const entry of json as ReadonlyArray<Json>) {
    const type = String(entry?.type)
    const kind = type.slice(type.lastIndexOf(".") + 1)
    if (!known.includes(kind) || !type.startsWith("sentence_transformers."))
      return {
        problem: `modules.json has a module ${type}, which this engine does not know; known are ${known.join(", ")}`
      }
    modules.push({ kind, type, path: typeof entry.path === "string" ? entry.path.replace(/\/$/, "") : "" })
  }
  return modules
}

/** Modules whose config.json says something. */
export const hasSettings = ({ kind }: Module): boolean => kind === "Pooling" || kind === "Dense"

const modes: Readonly<Record<string, Pooling>> = { cls_token: "CLS", mean_tokens: "MEAN", lasttoken: "LAST" }
/** The newer spelling. */
const modeNames: Readonly<Record<string, Pooling>> = { cls: "CLS", mean: "MEAN", lasttoken: "LAST" }

const readPooling = (config: Json, path: string): Pooling | { readonly problem: string } => {
  const prefix = "pooling_mode_"
  const chosen = Object.keys(config).filter((key) => key.startsWith(prefix) && config[key] === true)
  const names = chosen.length > 0 ? chosen.map((key) => key.slice(prefix.length)) : [String(config.pooling_mode)]
  const [name, ...more] = names
  const pooling = modes[name!] ?? modeNames[name!]
  if (pooling !== undefined && more.length === 0) return pooling
  return {
    problem: `${path}/config.json pools by ${names.join(" and ")}; this engine pools by one of cls_token, mean_tokens and lasttoken`
  }
}

/** torch's names and ours. */
const denseActivations: Readonly<Record<string, string>> = {
  Identity: "identity",
  Tanh: "tanh",
  ReLU: "relu",
  GELU: "gelu",
  SiLU: "silu"
}

const readDense = (
  config: Json,
  path: string
): SentenceTransformers["dense"][number] | { readonly problem: string } => {
  const { out_features: columns, bias, activation_function: given } = config
  const name = String(given ?? "torch.nn.modules.activation.Tanh")
  const own = denseActivations[name.slice(name.lastIndexOf(".") + 1)]
  const activation = activations.find((known) => known === own)
  if (activation === undefined && own !== "identity")
    return {
      problem: `${path}/config.json names the activation ${name}; known are ${Object.keys(denseActivations).join(", ")}`
    }
  if (typeof columns !== "number") return { problem: `${path}/config.json has no out_features` }
  return {
    folder: path,
    name: `${path}/linear`,
    columns,
    bias: bias !== false,
    ...(activation === undefined ? {} : { activation })
  }
}

/** Reads the modules in their order; `settings` holds each one's config.json by its path. */
export const readSentenceTransformers = (
  modules: ReadonlyArray<Module>,
  settings: ReadonlyMap<string, Json | undefined>
): SentenceTransformers | { readonly problem: string } => {
  let pooling: Pooling | undefined
  const dense: Array<SentenceTransformers["dense"][number]> = []
  let normalize = false
  for (const module of modules) {
    const { kind, path } = module
    const config = settings.get(path)
    if (hasSettings(module) && config === undefined)
      return { problem: `modules.json names ${path}, but ${path}/config.json is missing` }
    if (normalize && kind !== "Dropout")
      return { problem: `modules.json has ${kind} behind Normalize, which this engine does not serve` }
    if (kind === "Pooling") {
      const read = readPooling(config!, path)
      if (typeof read !== "string") return read
      pooling = read
    } else if (kind === "Dense") {
      if (pooling === undefined)
        return { problem: `modules.json has Dense before Pooling, which this engine does not serve` }
      const read = readDense(config!, path)
      if ("problem" in read) return read
      dense.push(read)
    } else if (kind === "Normalize") normalize = true
  }
  return { dense, normalize, ...(pooling === undefined ? {} : { pooling }) }
}

/** What is absent from the settings is absent here. */
export const readEncoderSettings = (json: Json): EncoderSettings => {
  const { max_seq_length: length, do_lower_case: lowercase } = json
  return {
    lowercase: lowercase === true,
    ...(typeof length === "number" && Number.isInteger(length) && length > 0 ? { maxLength: length } : {})
  }
}
