export * from "./domain/config/engineOptions.ts"
export * from "./domain/errors.ts"
export { PoolingFields, type PoolingInput, PoolingParams } from "./domain/pooling/poolingParams.ts"
export {
  BeamSearchRequest,
  ChatRequest,
  GenerateRequest,
  PoolRequest
} from "./domain/request/generateRequest.ts"
export type * from "./domain/request/outputs.ts"
export type { Progress } from "./domain/request/progress.ts"
export type { Prompt, Prompts } from "./domain/request/prompts.ts"
export type { FinishReason } from "./domain/request/sequence.ts"
export { BeamFields, type BeamSearchInput, BeamSearchParams } from "./domain/sampling/beamParams.ts"
export { SamplingFields, type SamplingInput, SamplingParams } from "./domain/sampling/samplingParams.ts"
export { ToolChoice } from "./domain/tools/toolChoice.ts"
export { Engine } from "./Engine.ts"
export { LLM } from "./LLM.ts"
export type { JsonSchema, ObjectRequest, PartialValue } from "./layers/engine/object.ts"
export type {
  BatchOptions,
  ChatOptions,
  ChatRequestOptions,
  PoolOptions,
  RequestOptions,
  ScoreOptions
} from "./llm/options.ts"
export type { ChatTemplateOptions } from "./services/ChatTemplate.ts"
export type {
  ChatGeneration,
  EngineMetrics,
  EngineService,
  Generation,
  Health,
  ServedModel as ModelFacts
} from "./services/Engine.ts"
