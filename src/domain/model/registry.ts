import type { Architecture } from "./architecture.ts"
import { llama } from "./llama.ts"

/** The families this engine has, by the name that config.json gives in `architectures`. */
export const architectures: ReadonlyArray<Architecture> = [llama]
