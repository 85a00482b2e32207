import { type FileHandle, readdir, readFile } from "node:fs/promises"
import { resolve } from "node:path"
import * as Effect from "effect/Effect"
import { CheckpointInvalid } from "../domain/errors.ts"

/** A damaged file of many tensors should not print thousands of lines. */
const maxProblems = 40

export const invalid = (model: string, problems: ReadonlyArray<string>) =>
  new CheckpointInvalid({
    model,
    problems:
      problems.length <= maxProblems
        ? problems
        : [...problems.slice(0, maxProblems), `and ${problems.length - maxProblems} more`]
  })

/** What a fault of the file system is called. */
export const codeOf = (cause: unknown) =>
  cause instanceof Error && "code" in cause
    ? String(cause.code)
    : cause instanceof Error
      ? cause.message
      : String(cause)

/** A file's text, undefined when there is none. */
export const readText = (folder: string, name: string): Effect.Effect<string | undefined, CheckpointInvalid> =>
  Effect.tryPromise(() => readFile(resolve(folder, name), "utf8")).pipe(
    Effect.catchAll(({ error }) =>
      codeOf(error) === "ENOENT"
        ? Effect.succeed(undefined)
        : Effect.fail(invalid(folder, [`${name} cannot be read: ${codeOf(error)}`]))
    )
  )

/** Names of the files of a folder within, sorted; none when there is no such folder. */
export const listFiles = (folder: string, name: string): Effect.Effect<ReadonlyArray<string>, CheckpointInvalid> =>
  Effect.tryPromise(() => readdir(resolve(folder, name))).pipe(
    Effect.map((names) => names.sort()),
    Effect.catchAll(({ error }) =>
      codeOf(error) === "ENOENT"
        ? Effect.succeed([])
        : Effect.fail(invalid(folder, [`${name} cannot be read: ${codeOf(error)}`]))
    )
  )

/** A JSON object from a file, undefined when there is none. */
export const readJson = (
  folder: string,
  name: string
): Effect.Effect<Readonly<Record<string, unknown>> | undefined, CheckpointInvalid> =>
  Effect.flatMap(readText(folder, name), (text) => {
    if (text === undefined) return Effect.succeed(undefined)
    try {
      const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ""))
      if (typeof json === "object" && json !== null && !Array.isArray(json))
        return Effect.succeed(json as Readonly<Record<string, unknown>>)
      return Effect.fail(invalid(folder, [`${name} holds no JSON object`]))
    } catch (error) {
      return Effect.fail(invalid(folder, [`${name} is not JSON: ${error instanceof Error ? error.message : error}`]))
    }
  })

/** Bytes of an open file; fewer where it ends before. */
export const readAt = async (file: FileHandle, offset: number, bytes: number): Promise<Uint8Array> => {
  const into = new Uint8Array(bytes)
  const { bytesRead } = await file.read(into, 0, bytes, offset)
  return into.subarray(0, bytesRead)
}
