import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { header } from "../../src/domain/ops/header.ts"

it("src/native/ops.h is what the op table generates (npm run generate:ops)", () =>
  expect(readFileSync(new URL("../../src/native/ops.h", import.meta.url), "utf8")).toBe(header()))
