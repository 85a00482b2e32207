// `npm ci` in a clone ends here: dist/ and the native addon are built. Downloads nothing: Node's API headers are a dependency.
import { spawnSync } from "node:child_process"
import { createRequire } from "node:module"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc")

for (const script of [[tsc, "-p", "tsconfig.build.json"], ["scripts/bundle.mjs"], ["scripts/native.mjs"]]) {
  const { status } = spawnSync(process.execPath, script, { cwd: root, stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}
