import * as Either from "effect/Either"
import { CheckpointInvalid, InvalidOptions, UnsupportedArchitecture } from "../errors.ts"
import type { Graph } from "../graph/graph.ts"
import { compile } from "../plan/compile.ts"
import type { Plan } from "../plan/plan.ts"
import type { PoolerChoice } from "../pooling/choice.ts"
import type { Dtype } from "../tensor/dtype.ts"
import type { Architecture, ModelShape } from "./architecture.ts"
import { ConfigReader, type Json } from "./configReader.ts"
import { type PoolerFacts, poolerFacts } from "./poolerFacts.ts"
import { architectures } from "./registry.ts"

/** What a loaded model is, for the engine, its users and `inspect`. */
export interface ModelFacts extends ModelShape {
  readonly architecture: string
  readonly dtype: Dtype
  readonly kvDtype: Dtype
  /** Tokens of the longest sequence served: what was asked for, else `maxPositions`. */
  readonly maxModelLen: number
  /** Elements of the checkpoint's tensors that the plan uses; a tied one once. */
  readonly parameters: number
  /** Bytes of K and V that one token takes in all layers. */
  readonly kvBytesPerToken: number
  readonly eosTokenIds: ReadonlyArray<number>
  readonly bosTokenId: number | undefined
  /** Of a model that pools; absent: it generates. */
  readonly pooler?: PoolerFacts
}

export interface CompileOptions {
  /** "auto": the type that config.json names. */
  readonly dtype: Dtype | "auto"
  /** What "auto" makes of a float32 checkpoint: a device built for halves says float16. Absent: float32. */
  readonly float32As?: Dtype
  /** Absent: as `dtype`. */
  readonly kvDtype?: Dtype
  readonly maxModelLen?: number
  readonly pooler?: PoolerChoice
  /** For messages: where the config came from. */
  readonly model?: string
  /** Absent: the families that this engine has. */
  readonly architectures?: ReadonlyArray<Architecture>
}

export interface CompiledModel {
  readonly graph: Graph
  readonly plan: Plan
  readonly facts: ModelFacts
}

export type CompileError = UnsupportedArchitecture | CheckpointInvalid | InvalidOptions

const parameters = (plan: Plan): number => {
  const tensors = new Map<string, number>()
  for (const weight of plan.weights)
    if (weight.source === "checkpoint")
      for (const { tensor, rows } of weight.segments)
        tensors.set(tensor, weight.kind === "vector" ? rows : rows * weight.columns)
  return [...tensors.values()].reduce((sum, count) => sum + count, 0)
}

const kvBytesPerToken = (plan: Plan): number =>
  plan.cacheGroups.reduce(
    (sum, { layers, kvHeads, keyDim, valueDim, dtype }) =>
      sum + layers * kvHeads * (keyDim + valueDim) * (dtype === "float32" ? 4 : 2),
    0
  )

const findArchitecture = (json: Json, known: ReadonlyArray<Architecture>): Architecture | UnsupportedArchitecture => {
  const named = Array.isArray(json.architectures) ? json.architectures.map(String) : []
  return (
    known.find(({ name }) => named.includes(name)) ??
    new UnsupportedArchitecture({
      architecture: named.join(", ") || "nothing",
      supported: known.map(({ name }) => name)
    })
  )
}

const cannotConvert = ({ name }: Architecture, convert: string) =>
  new InvalidOptions({
    field: "task",
    given: convert,
    expected: `what ${name} does by itself`,
    mend: "Leave task out: this architecture cannot be made into another."
  })

/** From a parsed config.json to what a backend runs. Pure: reads no tensor. */
export const compileModel = (json: Json, options: CompileOptions): Either.Either<CompiledModel, CompileError> => {
  const architecture = findArchitecture(json, options.architectures ?? architectures)
  if (architecture instanceof UnsupportedArchitecture) return Either.left(architecture)
  const reader = new ConfigReader(json)
  const configured = architecture.read(reader, options.pooler)
  const stored = reader.dtype()
  const quantised = reader.object("quantization_config")?.quant_method
  reader.expect(
    reader.given("quantization_config") === undefined,
    `quantization_config asks for ${quantised ?? "a quantised format"}; this engine reads float32, float16 and bfloat16 weights only.`
  )
  const eosTokenIds = reader.tokenIds("eos_token_id")
  const [bosTokenId] = reader.tokenIds("bos_token_id")
  if (reader.problems.length > 0)
    return Either.left(
      new CheckpointInvalid({
        model: options.model ?? "given",
        problems: reader.problems.map((line) => `config.json: ${line}`)
      })
    )
  const { maxPositions } = configured.shape
  if (options.maxModelLen !== undefined && options.maxModelLen > maxPositions)
    return Either.left(
      new InvalidOptions({
        field: "maxModelLen",
        given: String(options.maxModelLen),
        expected: `at most ${maxPositions}, the positions that this model knows`,
        mend: "Lower it, or leave it out."
      })
    )
  const native = stored === "float32" ? (options.float32As ?? stored) : stored
  const dtype = options.dtype === "auto" ? native : options.dtype
  const kvDtype = options.kvDtype ?? dtype
  const graph = configured.graph({ dtype, kvDtype })
  const convert = options.pooler?.convert
  if (convert !== undefined && graph.head.kind === "logits") return Either.left(cannotConvert(architecture, convert))
  const plan = compile(graph)
  const pooler = poolerFacts(graph)
  return Either.right({
    graph,
    plan,
    facts: {
      ...configured.shape,
      architecture: architecture.name,
      dtype,
      kvDtype,
      maxModelLen: options.maxModelLen ?? maxPositions,
      parameters: parameters(plan),
      kvBytesPerToken: kvBytesPerToken(plan),
      eosTokenIds,
      bosTokenId,
      ...(pooler === undefined ? {} : { pooler })
    }
  })
}
