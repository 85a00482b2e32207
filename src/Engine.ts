import { engineService } from "./engineService.ts"
import { layer } from "./layers/compose/engine.ts"
import { layerConfig } from "./layers/compose/engineConfig.ts"
import { layerNull } from "./layers/compose/null.ts"
import { beamSearch, chat, complete, completeChat, generate } from "./layers/engine/derived.ts"
import { generateObject, streamObject } from "./layers/engine/object.ts"
import { classify, embed, encode, reward, score } from "./layers/engine/pooling/pooled.ts"
import * as Service from "./services/Engine.ts"

/**
 * The engine for Effect applications: the service's tag, its layers, and what is derived over any engine.
 *
 * ```ts
 * const program = Engine.generate({ prompt: "Once upon a time", params: { maxTokens: 32 } }).pipe(
 *   Stream.runForEach((delta) => Effect.sync(() => process.stdout.write(delta.text)))
 * )
 * program.pipe(Effect.provide(Engine.layer({ model: "models/brook" })), Effect.runPromise)
 * ```
 */
export class Engine extends Service.Engine {
  /**
   * Makes a tag of the application's own: `class Writer extends Engine.Service<Writer>()("app/Writer") {}`. A tag's type
   * keeps the type of its service under the same name, as something that no value ever is: hence the intersection.
   */
  static override readonly Service = engineService as typeof engineService & Service.EngineService
  /** An engine over a checkpoint. Reads no environment. */
  static readonly layer = layer
  /** The same, from what is given, `MILLRACE_*`, and the JSON file that MILLRACE_CONFIG names, in this order. */
  static readonly layerConfig = layerConfig
  /** An engine that computes nothing and answers what its script says, for tests. */
  static readonly layerNull = layerNull
  /** A request's deltas. */
  static readonly generate = generate
  /** The whole reply: what folding `generate` gives. */
  static readonly complete = complete
  /** The best beams of a prompt. */
  static readonly beamSearch = beamSearch
  /** A chat's deltas. */
  static readonly chat = chat
  /** The whole reply to a chat. */
  static readonly completeChat = completeChat
  /** The object that a schema describes: decoded and typed by an Effect Schema, `unknown` by a JSON Schema. */
  static readonly generateObject = generateObject
  /** The same as it comes: partial values, then the whole. */
  static readonly streamObject = streamObject
  /** What a pooling model gives for a text. */
  static readonly encode = encode
  static readonly embed = embed
  static readonly classify = classify
  static readonly reward = reward
  /** How well texts match: 1:1, 1:N or N:N. */
  static readonly score = score
}
