// Builds and runs the native tests, without Node's headers: `node scripts/test-native.mjs [--sanitize]`.
// They live in test/native; each is a program that prints what broke and exits with 1.
import { spawnSync } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sanitize = process.argv.includes("--sanitize")
const build = join(root, "build", sanitize ? "native-sanitize" : "native-test")

const run = (command, ...args) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" })
  if (error) console.error(`${command} did not start: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

run(
  "cmake",
  ...["-S", root, "-B", build, "-DMILLRACE_ADDON=OFF", "-DMILLRACE_TESTS=ON", "-DMILLRACE_CUDA=OFF"],
  `-DMILLRACE_SANITIZE=${sanitize ? "ON" : "OFF"}`
)
run("cmake", "--build", build, "-j", "2")
run("ctest", "--test-dir", build, "--output-on-failure")
