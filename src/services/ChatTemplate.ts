import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { CheckpointInvalid, InvalidRequest } from "../domain/errors.ts"
import type { ModelFolder } from "./ModelSource.ts"

export interface ChatTemplateOptions {
  readonly chatTemplate?: string | undefined
  readonly addGenerationPrompt?: boolean | undefined
  readonly continueFinalMessage?: boolean | undefined
  readonly tools?: ReadonlyArray<unknown> | undefined
  readonly documents?: ReadonlyArray<unknown> | undefined
  readonly chatTemplateKwargs?: Readonly<Record<string, unknown>> | undefined
}

export interface ChatTemplateInstance {
  /** Whether the checkpoint brings a template. */
  readonly present: boolean
  /** The text of the checkpoint's templates, all of them: how the model writes tool calls and reasoning is told from it. */
  readonly source: string
  /** The prompt's text. Messages are rendered untouched. */
  readonly render: (
    messages: ReadonlyArray<unknown>,
    options?: ChatTemplateOptions
  ) => Effect.Effect<string, InvalidRequest>
}

export class ChatTemplate extends Context.Tag("millrace/ChatTemplate")<
  ChatTemplate,
  { readonly load: (folder: ModelFolder) => Effect.Effect<ChatTemplateInstance, CheckpointInvalid> }
>() {}
