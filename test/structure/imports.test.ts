import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { describe, expect, it } from "vitest"

const root = resolve(import.meta.dirname, "../../src")
const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"))

const imports = files.flatMap((file) =>
  [...readFileSync(join(root, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([line, target]) => ({
    file,
    line: line!,
    target: target!.startsWith(".") ? relative(root, resolve(root, dirname(file), target!)) : target!
  }))
)

const room = (path: string) => (path.includes("/") ? path.split("/")[0]! : "top")
/** `layers/engine` of all below it, `layers` of the files beside it. */
const layer = (path: string) => dirname(path).split("/").slice(0, 2).join("/")
const outside = (target: string) => !/^[\w.-]+(\/[\w.-]+)*\.ts$/.test(target)
const offending = (wrong: (from: { file: string; target: string }) => boolean) =>
  imports.filter(wrong).map(({ file, line }) => `${file}: ${line}`)

/** Effect modules that hold data and functions over it; none that runs, waits or provides. */
const dataModules =
  /^effect\/(Schema|ParseResult|SchemaAST|Data|Option|Either|Chunk|HashMap|HashSet|Order|Array|Record|Function|Predicate|Duration|Equal|Hash|Brand|JSONSchema|Struct|String|Number)$/

describe("who may import whom", () => {
  it("sees the imports at all", () => expect(imports.length).toBeGreaterThan(50))

  it("domain imports itself and Effect's data modules, nothing else", () =>
    expect(
      offending(
        ({ file, target }) =>
          room(file) === "domain" && (outside(target) ? !dataModules.test(target) : room(target) !== "domain")
      )
    ).toEqual([]))

  it("services import domain and services", () =>
    expect(
      offending(
        ({ file, target }) =>
          room(file) === "services" && !outside(target) && !["domain", "services"].includes(room(target))
      )
    ).toEqual([]))

  it("services name no platform module", () =>
    expect(offending(({ file, target }) => room(file) === "services" && target.startsWith("node:"))).toEqual([]))

  it("layers never import the public modules above them", () =>
    expect(
      offending(({ file, target }) => room(file) === "layers" && !outside(target) && room(target) === "top")
    ).toEqual([]))

  it("only layers/compose and the public modules name concrete layers", () =>
    expect(
      offending(
        ({ file, target }) =>
          room(file) === "layers" &&
          !file.startsWith("layers/compose/") &&
          !outside(target) &&
          room(target) === "layers" &&
          layer(target) !== layer(file)
      )
    ).toEqual([]))

  it("only layers/backend/addon.ts touches the native binary", () =>
    expect(
      files.filter(
        (file) =>
          file !== "layers/backend/addon.ts" &&
          /\.node"|createRequire|process\.dlopen/.test(readFileSync(join(root, file), "utf8"))
      )
    ).toEqual([]))
})
