import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import { CheckpointInvalid } from "../../src/domain/errors.ts"
import type { ModelFolder } from "../../src/services/ModelSource.ts"

/** A folder of which only the small text files are wanted. `files` stand in for, or beside, those on disk. */
export const folderAt = (path: string, files: Readonly<Record<string, string>> = {}): ModelFolder => ({
  path,
  config: {},
  generationConfig: undefined,
  readText: (name) =>
    Effect.sync(
      () => files[name] ?? (existsSync(`${path}/${name}`) ? readFileSync(`${path}/${name}`, "utf8") : undefined)
    ),
  list: (folder) =>
    Effect.sync(() => {
      const given = Object.keys(files).filter((name) => name.startsWith(`${folder}/`))
      const onDisk = existsSync(`${path}/${folder}`) ? readdirSync(`${path}/${folder}`) : []
      return [...given.map((name) => name.slice(folder.length + 1)), ...onDisk].sort()
    }),
  tensors: Effect.fail(new CheckpointInvalid({ model: path, problems: ["this folder has no tensors"] })),
  tensorsIn: (folder) => Effect.fail(new CheckpointInvalid({ model: `${path}/${folder}`, problems: ["no tensors"] }))
})
