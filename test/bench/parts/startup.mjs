import { fork, spawn } from "node:child_process"
import { statSync } from "node:fs"
import { join } from "node:path"
import { median, round } from "../lib/numbers.mjs"
import { bench, need, needDist, root } from "../lib/places.mjs"

const kvCacheMemoryBytes = 64 * 2 ** 20
const smol = () => process.env.MILLRACE_BENCH_SMOL ?? "/tmp/smol"

/** A fresh process through the facade: milliseconds since it was started (V8's own clock), memory three seconds later. */
const facade = (model) =>
  new Promise((resolve, reject) => {
    const options = JSON.stringify({ kvCacheMemoryBytes, maxModelLen: 1024 })
    const child = fork(join(bench, "sides", "first.mjs"), [model, options])
    child.on("message", resolve)
    child.on("exit", (code) => code && reject(new Error(`sides/first.mjs ended with ${code}`)))
  })

/** From spawn to the first byte of the reply on stdout: the command, as a person runs it. */
const command = (model) =>
  new Promise((resolve, reject) => {
    const start = performance.now()
    const words = ["generate", "--model", model, "--raw", "--max-tokens", "4", "Once upon a time"]
    const child = spawn(process.execPath, [join(root, "dist", "main.js"), ...words], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let first
    child.stdout.on("data", () => {
      first ??= performance.now() - start
    })
    child.on("exit", (code) =>
      code === 0 && first !== undefined ? resolve(first) : reject(new Error(`millrace generate ended with ${code}`))
    )
  })

const measure = async (model, rounds) => {
  const weights = statSync(join(model, "model.safetensors")).size
  await facade(model) // warm file cache
  const runs = []
  for (let r = 0; r < rounds; r++) runs.push({ ...(await facade(model)), command: await command(model) })
  const of = (pick) => round(median(runs.map(pick)), 0)
  return {
    firstTokenMs: of((r) => r.first),
    ofWhichImportMs: of((r) => r.imported),
    ofWhichLoadMs: of((r) => r.created - r.imported),
    commandFirstTokenMs: of((r) => r.command),
    weightsMB: round(weights / 1e6, 0),
    residentMB: of((r) => r.rss / 1e6),
    residentBeyondWeightsMB: of((r) => (r.rss - weights) / 1e6),
    peakResidentMB: of((r) => r.peak / 1e6)
  }
}

export const startup = async ({ rounds }) => {
  needDist()
  const folder = need(
    smol(),
    "Make SmolLM2-135M-Instruct's folder with the script of shared/real/smollm2-135m-instruct, and name it in MILLRACE_BENCH_SMOL."
  )
  const brook = await measure(join(root, "models", "brook"), rounds)
  const large = await measure(folder, rounds)
  const named = (name, figures) => Object.fromEntries(Object.entries(figures).map(([k, v]) => [`${name}: ${k}`, v]))
  return {
    workload: `a fresh process, warm file cache, medians; KV pool of ${kvCacheMemoryBytes / 2 ** 20} MiB, counted as resident beyond the weights`,
    figures: { ...named("brook", brook), ...named("smollm2-135m", large) },
    goals: {
      "brook: firstTokenMs": "<= 500",
      "smollm2-135m: firstTokenMs": "<= 1000",
      "brook: residentBeyondWeightsMB": `<= 250 + ${round(kvCacheMemoryBytes / 1e6, 0)} of KV`,
      "smollm2-135m: residentBeyondWeightsMB": `<= 250 + ${round(kvCacheMemoryBytes / 1e6, 0)} of KV`
    }
  }
}
