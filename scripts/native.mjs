// Builds the native addon, or says what is missing for it: `node scripts/native.mjs`. Without it the Reference backend still runs.
import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { availableParallelism } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const runs = (command) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0

const compilers = process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"]
const missing = [...(runs("cmake") ? [] : ["CMake"]), ...(compilers.some(runs) ? [] : ["a C++20 compiler"])]
if (missing.length > 0) {
  console.warn(
    `millrace: the native CPU backend was not built because ${missing.join(" and ")} cannot be found; ` +
      'the Reference backend works (device: "reference"), and "npm run build:native" builds it later.'
  )
  process.exit()
}
const cmakeJs = join(dirname(require.resolve("cmake-js/package.json")), "bin", "cmake-js")
const build = ["compile", "--log-level", "error", "--parallel", String(availableParallelism())]
const { status } = spawnSync(process.execPath, [cmakeJs, ...build], { cwd: root, stdio: "inherit" })
if (status !== 0) {
  console.error(
    'millrace: building the native CPU backend failed; the compiler\'s words stand above ("npm run build:native").'
  )
  process.exit(1)
}
