// npm run plan MODEL [dtype]: the graph and the plan of a checkpoint folder, as text. Reads config.json alone; needs dist/ (npm run build).
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Either from "effect/Either"

const stop = (message, code) => {
  console.error(message)
  process.exit(code)
}
const [model, dtype = "auto"] = process.argv.slice(2)
if (model === undefined) stop("Give a checkpoint folder: npm run plan models/brook [float32 | bfloat16 | float16]", 2)
const path = join(model, "config.json")
if (!existsSync(path)) stop(`There is no ${path}. Give a folder that holds a checkpoint.`, 1)
const { compileModel } = await import("../dist/domain/model/load.js")
const { printGraph } = await import("../dist/domain/graph/print.js")
const { printPlan } = await import("../dist/domain/plan/print.js")
const config = JSON.parse(readFileSync(path, "utf8"))
const compiled = compileModel(config, { dtype, model })
if (Either.isLeft(compiled)) stop(compiled.left.message, 1)
process.stdout.write(`${printGraph(compiled.right.graph)}\n${printPlan(compiled.right.plan)}`)
