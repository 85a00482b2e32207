import { existsSync } from "node:fs"

/** False where `prepare` found no compiler and said so: suites of the native backends are skipped there. */
export const nativeBuilt = (): boolean => existsSync(new URL("../../build/Release/millrace.node", import.meta.url))
