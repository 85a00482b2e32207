// Writes the C++ op table from the TypeScript one. A test fails when the committed file is stale.

import { execSync } from "node:child_process"
import { writeFileSync } from "node:fs"

execSync("npx tsc -p tsconfig.build.json", { stdio: "inherit" })
const { header } = await import("../dist/domain/ops/header.js")
writeFileSync(new URL("../src/native/ops.h", import.meta.url), header())
