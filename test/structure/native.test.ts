import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"

const script = join(import.meta.dirname, "../../scripts/native.mjs")

it("an installation without a compiler succeeds, and says what is missing, what works, and the mend", () => {
  const env = { PATH: "/nonexistent", CXX: "/nonexistent/c++" }
  const { status, stderr } = spawnSync(process.execPath, [script], { env, encoding: "utf8" })
  assert.strictEqual(status, 0)
  assert.include(stderr, "CMake and a C++20 compiler cannot be found")
  assert.include(stderr, 'device: "reference"')
  assert.include(stderr, "npm run build:native")
})
