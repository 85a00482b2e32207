import type { Architecture } from "./architecture.ts"
import { bertPoolers } from "./bert.ts"
import { distilbertPoolers } from "./distilbert.ts"
import { gpt2, gpt2Poolers } from "./gpt2.ts"
import { llama, llamaPoolers } from "./llama.ts"
import { mistral, mistralPoolers } from "./mistral.ts"
import { modernbertPoolers } from "./modernbert.ts"
import { opt, optPoolers } from "./opt.ts"
import { qwen2, qwen2Poolers } from "./qwen2.ts"
import { qwen3, qwen3Poolers } from "./qwen3.ts"
import { robertaPoolers } from "./roberta.ts"

/** The families this engine has, by the name that config.json gives in `architectures`. */
export const architectures: ReadonlyArray<Architecture> = [
  llama,
  mistral,
  qwen2,
  qwen3,
  opt,
  gpt2,
  ...llamaPoolers,
  ...mistralPoolers,
  ...qwen2Poolers,
  ...qwen3Poolers,
  ...optPoolers,
  ...gpt2Poolers,
  ...bertPoolers,
  ...robertaPoolers,
  ...distilbertPoolers,
  ...modernbertPoolers
]
