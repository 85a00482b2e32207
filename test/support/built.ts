import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "../..")

/**
 * The JavaScript of today's sources, compiled beside `dist` so that a test runs what stands in src and not what was built
 * some time ago. The folder is gone when the process ends; the addon is found where `dist` finds it.
 */
export const buildMain = (): string => {
  const out = mkdtempSync(join(root, ".test-dist-"))
  process.once("exit", () => rmSync(out, { recursive: true, force: true }))
  const tsc = join(root, "node_modules/typescript/bin/tsc")
  const flags = ["-p", "tsconfig.build.json", "--outDir", out, "--declaration", "false", "--declarationMap", "false"]
  execFileSync(process.execPath, [tsc, ...flags, "--sourceMap", "false"], { cwd: root, stdio: "pipe" })
  return join(out, "main.js")
}
