import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fromShared } from "./places.mjs"

const shape = "qwen-0.5b"

/** One random model as `hf` (bf16 safetensors) and as GGUF; made once, kept in MILLRACE_BENCH_PAIR (1 GB each). */
export const pair = () => {
  const folder = process.env.MILLRACE_BENCH_PAIR ?? join(tmpdir(), "millrace-pair")
  const hf = join(folder, "hf")
  const gguf = join(folder, `${shape}-bf16.gguf`)
  if (!existsSync(gguf)) {
    const script = fromShared("bench", "make_pair.mjs")
    mkdirSync(folder, { recursive: true })
    execFileSync(process.execPath, [script, shape, folder, "bf16"], { stdio: "inherit" })
  }
  const config = JSON.parse(readFileSync(join(hf, "config.json"), "utf8"))
  const parameters = statSync(join(hf, "model.safetensors")).size / 2
  const head = config.vocab_size * config.hidden_size
  return { shape, hf, gguf, bytes: parameters * 2, parameters, head, vocab: config.vocab_size }
}
