import * as Schema from "effect/Schema"

/** One thing wrong with a field: where, what stood there, what was expected, the mend. */
const problem = { field: Schema.String, given: Schema.String, expected: Schema.String, mend: Schema.String }
const sentence = (what: string, p: { field: string; given: string; expected: string; mend: string }) =>
  `${what} ${p.field}: given ${p.given}, expected ${p.expected}. ${p.mend}`

export class InvalidOptions extends Schema.TaggedError<InvalidOptions>()("InvalidOptions", problem) {
  override get message() {
    return sentence("Engine option", this)
  }
}

export class ModelNotFound extends Schema.TaggedError<ModelNotFound>()("ModelNotFound", {
  model: Schema.String,
  reason: Schema.String,
  mend: Schema.optional(Schema.String)
}) {
  override get message() {
    return `No model at ${this.model}: ${this.reason}. ${this.mend ?? "Give a folder that holds config.json and weights."}`
  }
}

/** Every fault that was found in the checkpoint, at once. */
export class CheckpointInvalid extends Schema.TaggedError<CheckpointInvalid>()("CheckpointInvalid", {
  model: Schema.String,
  problems: Schema.Array(Schema.String)
}) {
  override get message() {
    return `The checkpoint ${this.model} cannot be used:\n${this.problems.map((line) => `  - ${line}`).join("\n")}`
  }
}

export class UnsupportedArchitecture extends Schema.TaggedError<UnsupportedArchitecture>()("UnsupportedArchitecture", {
  architecture: Schema.String,
  supported: Schema.Array(Schema.String)
}) {
  override get message() {
    return `config.json asks for the architecture ${this.architecture}; this engine has ${this.supported.join(", ")}.`
  }
}

export class DeviceUnavailable extends Schema.TaggedError<DeviceUnavailable>()("DeviceUnavailable", {
  device: Schema.String,
  reason: Schema.String,
  mend: Schema.String
}) {
  override get message() {
    return `The device ${this.device} cannot be used: ${this.reason}. ${this.mend}`
  }
}

export class OutOfMemory extends Schema.TaggedError<OutOfMemory>()("OutOfMemory", {
  what: Schema.String,
  neededBytes: Schema.Number,
  availableBytes: Schema.Number,
  mend: Schema.String
}) {
  override get message() {
    const mb = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`
    return `${this.what} needs ${mb(this.neededBytes)}; ${mb(this.availableBytes)} are available. ${this.mend}`
  }
}

export const StartError = Schema.Union(
  InvalidOptions,
  ModelNotFound,
  CheckpointInvalid,
  UnsupportedArchitecture,
  DeviceUnavailable,
  OutOfMemory
)
export type StartError = typeof StartError.Type

export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", problem) {
  override get message() {
    return sentence("Request field", this)
  }
}

export class PromptTooLong extends Schema.TaggedError<PromptTooLong>()("PromptTooLong", {
  promptTokens: Schema.Int,
  maxModelLen: Schema.Int
}) {
  override get message() {
    return `The prompt has ${this.promptTokens} tokens; this engine holds ${this.maxModelLen}, the reply included. Shorten it, set truncatePromptTokens, or raise maxModelLen.`
  }
}

export class QueueFull extends Schema.TaggedError<QueueFull>()("QueueFull", { maxQueuedRequests: Schema.Int }) {
  override get message() {
    return `${this.maxQueuedRequests} requests are queued, as many as maxQueuedRequests allows. Try again later, or raise it.`
  }
}

export class TaskUnsupported extends Schema.TaggedError<TaskUnsupported>()("TaskUnsupported", {
  task: Schema.String,
  supported: Schema.Array(Schema.String),
  reason: Schema.optional(Schema.String)
}) {
  override get message() {
    const why = this.reason === undefined ? "" : ` (${this.reason})`
    return `This model cannot ${this.task}${why}; it can ${this.supported.join(", ")}.`
  }
}

export class EngineClosed extends Schema.TaggedError<EngineClosed>()("EngineClosed", {}) {
  override get message() {
    return "The engine has been closed. Keep its scope (or LLM) open until the last request has ended."
  }
}

export class EngineUnavailable extends Schema.TaggedError<EngineUnavailable>()("EngineUnavailable", {
  reason: Schema.String
}) {
  override get message() {
    return `The engine cannot be reached: ${this.reason}. Check that it runs, and try again.`
  }
}

export const AdmissionError = Schema.Union(
  InvalidRequest,
  PromptTooLong,
  QueueFull,
  TaskUnsupported,
  EngineClosed,
  EngineUnavailable
)
export type AdmissionError = typeof AdmissionError.Type

export class DeadlineExceeded extends Schema.TaggedError<DeadlineExceeded>()("DeadlineExceeded", {
  requestId: Schema.String
}) {
  override get message() {
    return `Request ${this.requestId} passed its deadline; what was delivered before stands. Give it a later one.`
  }
}

export class NumericalFault extends Schema.TaggedError<NumericalFault>()("NumericalFault", {
  requestId: Schema.String,
  position: Schema.Int
}) {
  override get message() {
    return `The logits of request ${this.requestId} at position ${this.position} are not finite, or its badWords, allowedTokenIds, minTokens, logitBias and grammar together leave no token to draw. If it sets none of these, the checkpoint or the dtype (float16 overflows where bfloat16 does not) is at fault: try dtype "float32".`
  }
}

export class DeviceFailed extends Schema.TaggedError<DeviceFailed>()("DeviceFailed", {
  operation: Schema.String,
  reason: Schema.String
}) {
  override get message() {
    return `The device failed in ${this.operation}: ${this.reason}. The engine takes no more work; build it anew.`
  }
}

export const RunError = Schema.Union(DeadlineExceeded, NumericalFault, DeviceFailed, EngineClosed, EngineUnavailable)
export type RunError = typeof RunError.Type

export const GenerateError = Schema.Union(...AdmissionError.members, ...RunError.members)
export type GenerateError = typeof GenerateError.Type
export const PoolError = GenerateError
export type PoolError = GenerateError

/** The reply is no value of the schema that was asked for. */
export class ObjectInvalid extends Schema.TaggedError<ObjectInvalid>()("ObjectInvalid", {
  text: Schema.String,
  issue: Schema.String
}) {
  override get message() {
    return `The reply does not fit the schema: ${this.issue}`
  }
}
