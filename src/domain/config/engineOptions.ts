import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { InvalidOptions } from "../errors.ts"
import { decodeStrict } from "./strict.ts"
import { duration, field, finite, flag, int, jsonObject, oneOf, text } from "./types.ts"
import { unserved } from "./unserved.ts"

const poolerConfig = Schema.Struct({
  poolingType: Schema.optional(oneOf("CLS", "LAST", "MEAN", "ALL", "STEP")),
  normalize: Schema.optional(flag),
  activation: Schema.optional(flag),
  stepTagId: Schema.optional(int(0)),
  returnedTokenIds: Schema.optional(Schema.Array(int(0)))
}).annotations({ description: "an object of pooler settings" })

/** Everything that an engine can be told when it starts. Names and meanings are vLLM's. */
export const EngineOptions = Schema.Struct({
  model: text.pipe(Schema.propertySignature).annotations({
    description: "Folder with config.json, tokenizer files and weights, or a model of the Hub: owner/name."
  }),
  tokenizer: field(text, "Folder or Hub id of the tokenizer and its chat template, when they are not the model's."),
  tokenizerMode: field(oneOf("auto", "slow"), "slow prefers vocab.json and merges.txt to tokenizer.json.", "auto"),
  tokenizerRevision: field(text, "Revision of the tokenizer on the Hub; by default main."),
  revision: field(text, "Branch, tag or commit of the model on the Hub; by default main."),
  skipTokenizerInit: field(flag, "Load no tokenizer: prompts and replies are token ids only.", false),
  trustRemoteCode: field(flag, "Accepted and warned about: no code of a checkpoint is ever run.", false),
  task: field(oneOf("auto", "generate", "embed", "classify", "score", "reward"), "What the model is used for.", "auto"),
  device: field(oneOf("auto", "cpu", "cuda", "reference", "null"), "What runs the model.", "auto"),
  dtype: field(
    oneOf("auto", "float32", "float16", "bfloat16"),
    "Storage of weights and KV cache; auto takes the checkpoint's own type.",
    "auto"
  ),
  quantization: field(text, "Quantisation of the weights; by default what the checkpoint says."),
  maxModelLen: field(int(2), "Tokens of prompt and reply together, at most; by default the model's own limit."),
  maxNumSeqs: field(int(1, 65_536), "Sequences in one step, at most; by default 64 on the CPU, 256 elsewhere."),
  maxNumBatchedTokens: field(
    int(1, 1_048_576),
    "Token budget of one step; by default chosen from measured speed on the CPU, 2048 on null and reference."
  ),
  blockSize: field(
    Schema.Literal(16, 32, 64, 128).annotations({ description: "16, 32, 64 or 128" }),
    "Tokens in one block of the KV cache.",
    16
  ),
  enablePrefixCaching: field(flag, "Keep finished KV blocks for later prompts with the same beginning.", true),
  enableChunkedPrefill: field(flag, "Let a long prompt be computed over several steps.", true),
  longPrefillTokenThreshold: field(int(0), "Tokens of one prompt in one step, at most; 0 sets no limit.", 0),
  schedulingPolicy: field(oneOf("fcfs", "priority"), "Who runs first.", "fcfs"),
  disableAsyncOutputProc: field(flag, "Run steps one after the other, without overlap.", false),
  streamBuffer: field(int(1), "Tokens that a reader may lag behind before its request is parked.", 64),
  streamInterval: field(int(1), "Tokens that are gathered before a reader is woken.", 1),
  maxParkedTime: field(duration, "A request whose reader has been away for longer is aborted.", "10 minutes"),
  maxQueuedRequests: field(int(1), "Requests that may wait; more are refused. By default without limit."),
  toolCallParser: field(
    oneOf("hermes", "llama3_json", "mistral", "json", "none"),
    "How tool calls are read from chat replies; by default as the chat template tells."
  ),
  reasoningParser: field(
    oneOf("deepseek_r1", "qwen3", "none"),
    "How reasoning is read from chat replies; by default as the chat template tells."
  ),
  gpuMemoryUtilization: field(
    finite("a number above 0 and up to 1", (share) => share > 0 && share <= 1),
    "Share of the device's memory that weights, cache and buffers may take.",
    0.9
  ),
  kvCacheMemoryBytes: field(int(1), "Bytes of the KV cache; by default from the memory that is left."),
  swapSpace: field(
    finite("a number of at least 0", (gib) => gib >= 0),
    "GiB of host memory for swapped KV blocks.",
    4
  ),
  cpuOffloadGb: field(
    finite("a number of at least 0", (gib) => gib >= 0),
    "GiB of weights to keep in host memory.",
    0
  ),
  enforceEager: field(flag, "Capture no CUDA graphs.", false),
  maxSeqLenToCapture: field(int(1), "Longest sequence that CUDA graphs cover.", 8192),
  disableCustomAllReduce: field(flag, "Use the stock all-reduce between GPUs.", false),
  tensorParallelSize: field(int(1), "Devices that share one model.", 1),
  seed: field(int(0), "Seed from which requests without one of their own take theirs.", 0),
  generationConfig: field(
    text,
    'Sampling defaults: "auto" (the checkpoint\'s), "vllm" (none), or a folder or Hub id.',
    "auto"
  ),
  overrideGenerationConfig: field(jsonObject, "Sampling defaults that win over generation_config.json."),
  overridePoolerConfig: field(poolerConfig, "How hidden states are pooled."),
  hfOverrides: field(jsonObject, "Values that win over config.json; objects are merged."),
  maxLogprobs: field(int(-1), "Logprobs that a request may ask for, at most; -1: no bound.", 20),
  servedModelName: field(text, "The model's name on the wire."),
  numThreads: field(int(1, 1024), "Threads of the CPU backend; by default what affinity and cgroup allow.")
})
export type EngineOptions = typeof EngineOptions.Type

/** Decodes what a user gave, strictly, and refuses what no part of this build serves. */
export const decodeEngineOptions = (given: unknown): Either.Either<EngineOptions, InvalidOptions> =>
  Either.flatMap(decodeStrict(EngineOptions, given), (options) => {
    const refused = unserved(options)
    return refused === undefined ? Either.right(options) : Either.left(refused)
  }).pipe(Either.mapLeft((problem) => new InvalidOptions(problem)))
