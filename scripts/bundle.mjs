// The package's faces as a few files each: `node scripts/bundle.mjs [OUT]` writes OUT/main.js, which holds all that it needs, and
// OUT/index.js and its kin, which share the application's own Effect (OUT is dist by default). Reading hundreds of modules one
// by one costs more than half of the time to the first token.
import { rmSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = resolve(fileURLToPath(import.meta.url), "../..")
const out = resolve(process.argv[2] ?? join(root, "dist"))
rmSync(join(out, "bundle"), { recursive: true, force: true })
const faces = (name, entryPoints, options) =>
  build({
    absWorkingDir: root,
    entryPoints,
    outdir: out,
    // As deep below the package as dist/layers/backend, from where the addon is found.
    chunkNames: `bundle/${name}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    legalComments: "eof",
    logLevel: "warning",
    ...options
  })
await faces("cli", ["src/main.ts"], {})
await faces("library", ["src/index.ts", "src/parts.ts", "src/testing.ts"], { packages: "external" })
