// `npm ci` in a clone ends here: dist/ and the native addon are built. Downloads nothing: Node's API headers are a dependency.
import { execFileSync, spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const require = createRequire(import.meta.url)
const runs = (command) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0

execFileSync(process.execPath, [require.resolve("typescript/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit"
})
execFileSync(process.execPath, [join(root, "scripts/bundle.mjs")], { cwd: root, stdio: "inherit" })

const compilers = process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"]
const missing = [...(runs("cmake") ? [] : ["CMake"]), ...(compilers.some(runs) ? [] : ["a C++20 compiler"])]
if (missing.length > 0) {
  console.warn(
    `millrace: the native CPU backend was not built because ${missing.join(" and ")} cannot be found; ` +
      'the Reference backend works (device: "reference"), and "npm run build:native" builds it later.'
  )
} else {
  const cmakeJs = join(dirname(require.resolve("cmake-js/package.json")), "bin", "cmake-js")
  const built = spawnSync(process.execPath, [cmakeJs, "compile", "--log-level", "error"], {
    cwd: root,
    stdio: "inherit"
  })
  if (built.status !== 0) {
    console.error(
      'millrace: building the native CPU backend failed; the compiler\'s words stand above ("npm run build:native").'
    )
    process.exit(1)
  }
}
