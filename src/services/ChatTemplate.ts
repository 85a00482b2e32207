import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ContentFormat } from "../domain/chat/contentFormat.ts"
import type { ChatTemplateOptions } from "../domain/chat/options.ts"
import type { CheckpointInvalid, InvalidRequest } from "../domain/errors.ts"
import type { ModelFolder } from "./ModelSource.ts"

export type { ChatTemplateOptions } from "../domain/chat/options.ts"

export interface ChatTemplateInstance {
  /** Whether the checkpoint brings a template. */
  readonly present: boolean
  /** The text of the checkpoint's templates, all of them: how the model writes tool calls and reasoning is told from it. */
  readonly source: string
  /** How the template that these options choose wants a message's content. */
  readonly contentFormat: (options?: ChatTemplateOptions) => Effect.Effect<ContentFormat, InvalidRequest>
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
