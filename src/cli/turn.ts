import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { GenerateError } from "../domain/errors.ts"
import type { ChatRequest } from "../domain/request/generateRequest.ts"
import type { ChatDelta, ToolCall } from "../domain/request/outputs.ts"
import type { EngineService } from "../services/Engine.ts"
import type { Said } from "./conversation.ts"
import { dim } from "./style.ts"
import type { Terminal } from "./terminal.ts"

/** What came of one request for a reply. */
export interface Reply extends Said {
  /** Ctrl-C ended it: what was said before stands. */
  readonly stopped: boolean
  readonly tokens: number
}

/** Writes a reply as it comes, and keeps it. */
class ReplyWriter {
  #text = ""
  #tokens = 0
  #reasoning = false
  /** Whether the last thing written ended its line. */
  #fresh = true
  readonly #calls = new Map<string, { name: string; arguments: string }>()
  readonly #colour: boolean
  readonly #write: (text: string) => Promise<void>

  constructor(write: (text: string) => Promise<void>, colour: boolean) {
    this.#write = write
    this.#colour = colour
  }

  async take(delta: ChatDelta): Promise<void> {
    switch (delta.type) {
      case "text-delta":
        this.#text += delta.delta
        await this.#leaveReasoning()
        return this.#show(delta.delta)
      case "reasoning-delta":
        this.#reasoning = true
        return this.#show(delta.delta, true)
      case "tool-params-start":
        this.#calls.set(delta.id, { name: delta.name, arguments: "" })
        await this.#newLine()
        return this.#show(`→ ${delta.name} `)
      case "tool-params-delta": {
        const call = this.#calls.get(delta.id)
        if (call !== undefined) call.arguments += delta.delta
        return this.#show(delta.delta)
      }
      case "tool-params-end":
        return this.#newLine()
      case "finish":
        this.#tokens = delta.usage?.completionTokens ?? this.#tokens
        return undefined
    }
  }

  async end(stopped: boolean): Promise<Reply> {
    await this.#newLine()
    const toolCalls = [...this.#calls].map(([id, call]): ToolCall => ({ id, ...call }))
    // The arguments of a call that was cut off are no JSON: nobody can answer it.
    return { text: this.#text, toolCalls: stopped ? [] : toolCalls, stopped, tokens: this.#tokens }
  }

  async #leaveReasoning() {
    if (!this.#reasoning) return
    this.#reasoning = false
    await this.#newLine()
  }

  async #newLine() {
    if (!this.#fresh) await this.#show("\n")
  }

  async #show(text: string, faint = false) {
    if (text === "") return
    this.#fresh = text.endsWith("\n")
    await this.#write(faint ? dim(text, this.#colour) : text)
  }
}

/** Waits for Ctrl-C, which is its own meanwhile and never after. */
const interrupted = (terminal: Terminal) =>
  Effect.suspend(() => {
    let letGo = () => {}
    return Effect.async<true>((resume) => {
      letGo = terminal.onInterrupt(() => resume(Effect.succeed(true)))
    }).pipe(Effect.ensuring(Effect.sync(() => letGo())))
  })

/** Asks for a reply and writes it as it comes; Ctrl-C ends it and gives its blocks back. */
export const replyTo = (
  engine: EngineService,
  request: ChatRequest,
  terminal: Terminal,
  write: (text: string) => Promise<void>
): Effect.Effect<Reply, GenerateError> =>
  Effect.gen(function* () {
    const writer = new ReplyWriter(write, terminal.isTerminal)
    const whole = Effect.scoped(
      Effect.flatMap(engine.submitChat(request), ({ deltas }) =>
        Stream.runForEach(deltas, (delta) => Effect.promise(() => writer.take(delta)))
      )
    )
    const result = yield* Effect.either(Effect.raceFirst(Effect.as(whole, false), interrupted(terminal)))
    const reply = yield* Effect.promise(() => writer.end(Either.isRight(result) && result.right))
    return Either.isLeft(result) ? yield* result.left : reply
  })
