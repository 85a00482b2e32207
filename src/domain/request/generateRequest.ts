import * as Schema from "effect/Schema"
import { duration, field, jsonObject, oneOf, text } from "../config/types.ts"
import { poolTasks } from "../pooling/poolerSpec.ts"
import { PoolingFields } from "../pooling/poolingParams.ts"
import { BeamFields } from "../sampling/beamParams.ts"
import { SamplingFields } from "../sampling/samplingParams.ts"

const tokenIds = Schema.Array(Schema.Int).annotations({ description: "an array of token ids" })

import { chatOptions } from "../chat/options.ts"
import { ToolChoice } from "../tools/toolChoice.ts"

/** What every kind of request may say. */
const common = {
  requestId: field(text, "Unique among the requests in flight; made up when absent."),
  params: field(SamplingFields, "How tokens are drawn, and when to stop."),
  priority: field(
    Schema.Int.annotations({ description: "a whole number" }),
    'Lower runs first, under schedulingPolicy "priority".',
    0
  ),
  deadline: field(duration, "Time from now after which the request fails with DeadlineExceeded."),
  cacheSalt: field(text, "Requests share cached prompt blocks only with those of the same salt."),
  lora: field(Schema.Unknown, "The adapter to run with.")
}

/** Text to continue: exactly one of `prompt` and `promptTokenIds`. */
export const GenerateRequest = Schema.Struct({
  prompt: field(Schema.String.annotations({ description: "a text" }), "The text to continue."),
  promptTokenIds: field(tokenIds, "The same as token ids."),
  keepSpecialTokens: field(
    Schema.Array(text).annotations({ description: "a list of tokens as text" }),
    "Special tokens that stay in the text though skipSpecialTokens leaves the others out; what is none is passed over."
  ),
  ...common
})
export type GenerateRequest = typeof GenerateRequest.Type

const message = jsonObject.annotations({ description: "a message: an object with role and content" })

export const ChatRequest = Schema.Struct({
  messages: Schema.Array(message)
    .pipe(Schema.filter((messages) => messages.length > 0))
    .annotations({ description: "an array of messages, at least one" }),
  ...chatOptions,
  toolChoice: field(
    ToolChoice,
    "Whether a reply may, must or must not call a tool, or which one it must call.",
    "auto"
  ),
  ...common
})
export type ChatRequest = typeof ChatRequest.Type

/** A text, its ids, or a pair of texts for a cross-encoder: exactly one of them. */
export const PoolRequest = Schema.Struct({
  task: oneOf(...poolTasks)
    .pipe(Schema.propertySignature)
    .annotations({ description: "What is wanted of the model." }),
  prompt: field(Schema.String.annotations({ description: "a text" }), "The text."),
  promptTokenIds: field(tokenIds, "The same as token ids."),
  pair: field(
    Schema.Tuple(Schema.String, Schema.String).annotations({ description: "two texts" }),
    "Two texts, which the tokenizer joins by its own template."
  ),
  params: field(PoolingFields, "How hidden states are pooled."),
  lora: field(Schema.Unknown, "The adapter to run with."),
  requestId: field(text, "Unique among the requests in flight; made up when absent.")
})
export type PoolRequest = typeof PoolRequest.Type

/** One beam search over one prompt. */
export const BeamSearchRequest = Schema.Struct({
  prompt: field(Schema.String.annotations({ description: "a text" }), "The text to continue."),
  promptTokenIds: field(tokenIds, "The same as token ids."),
  ...common,
  params: field(BeamFields, "How wide and how far the search goes, and how beams are scored.")
})
export type BeamSearchRequest = typeof BeamSearchRequest.Type
