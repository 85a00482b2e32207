import { readFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import { InvalidRequest } from "../domain/errors.ts"

/** Neither a template's text, which has braces, nor a plain name. */
const looksLikePath = (text: string) => /[./\\]/.test(text) && !/[{}\n]/.test(text)

const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error))

/**
 * Options whose `chatTemplate` may name a file, with the file's text in its place. Only the facade on the caller's own
 * machine reads files: an engine that serves strangers takes texts and names of templates, never paths. What names no
 * file and has no slash stays as it is, for it may be a template's name.
 */
export const withTemplateFile = <O extends { readonly chatTemplate?: string | undefined }>(
  options: O
): Effect.Effect<O, InvalidRequest> => {
  const { chatTemplate } = options
  if (typeof chatTemplate !== "string" || !looksLikePath(chatTemplate)) return Effect.succeed(options)
  return Effect.tryPromise(() => readFile(chatTemplate, "utf8")).pipe(
    Effect.map((text): O => ({ ...options, chatTemplate: text })),
    Effect.catchAll(({ error }) =>
      codeOf(error) === "ENOENT" && !/[/\\]/.test(chatTemplate)
        ? Effect.succeed(options)
        : new InvalidRequest({
            field: "chatTemplate",
            given: chatTemplate,
            expected: "a file that can be read",
            mend: `Reading it failed (${codeOf(error)}).`
          })
    )
  )
}
