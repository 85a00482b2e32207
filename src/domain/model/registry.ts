import type { Architecture } from "./architecture.ts"
import { gpt2 } from "./gpt2.ts"
import { llama } from "./llama.ts"
import { mistral } from "./mistral.ts"
import { opt } from "./opt.ts"
import { qwen2 } from "./qwen2.ts"
import { qwen3 } from "./qwen3.ts"

/** The families this engine has, by the name that config.json gives in `architectures`. */
export const architectures: ReadonlyArray<Architecture> = [llama, mistral, qwen2, qwen3, opt, gpt2]
