import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "../..")

/**
 * The command line of today's sources, bundled beside `dist`, so that a test runs what stands in src and not what was
 * built some time ago. The folder is gone when the process ends; the addon is found where `dist` finds it.
 */
export const buildMain = (): string => {
  const out = mkdtempSync(join(root, ".test-dist-"))
  process.once("exit", () => rmSync(out, { recursive: true, force: true }))
  execFileSync(process.execPath, [join(root, "scripts/bundle.mjs"), out], { stdio: "pipe" })
  return join(out, "main.js")
}
