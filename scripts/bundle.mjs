// The command line as a few files: `node scripts/bundle.mjs [OUT]` writes OUT/main.js (dist by default) and what it shares with its commands.
// Reading 640 modules one by one costs more than half of the time to the first token; the library's own modules stay as they are.
import { rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = resolve(fileURLToPath(import.meta.url), "../..")
const out = resolve(process.argv[2] ?? join(root, "dist"))
rmSync(join(out, "bundle"), { recursive: true, force: true })
await build({
  absWorkingDir: root,
  entryPoints: ["src/main.ts"],
  outdir: out,
  // As deep below the package as dist/layers/backend, from where the addon is found.
  chunkNames: "bundle/cli/[name]-[hash]",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  legalComments: "eof",
  logLevel: "warning"
})
