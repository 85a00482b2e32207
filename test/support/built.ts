import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { afterAll } from "vitest"

const root = resolve(import.meta.dirname, "../..")

const folders: Array<string> = []
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/**
 * The command line of today's sources, bundled beside `dist`, so that a test runs what stands in src and not what was
 * built some time ago. The folder is gone when the test file has run; the addon is found where `dist` finds it.
 */
export const buildMain = (): string => {
  const out = mkdtempSync(join(root, ".test-dist-"))
  folders.push(out)
  execFileSync(process.execPath, [join(root, "scripts/bundle.mjs"), out], { stdio: "pipe" })
  return join(out, "main.js")
}
