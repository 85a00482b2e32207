// A process that starts Millrace, draws tokens and says when the first came and what memory it holds. usage: first.mjs MODEL OPTIONS
import { readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { needDist } from "../lib/places.mjs"

const [model, options] = process.argv.slice(2)
const { LLM } = await import(pathToFileURL(needDist()).href)
const imported = performance.now()
const llm = await LLM.create({ model, ...JSON.parse(options) })
const created = performance.now()
let first
for await (const _ of llm.stream("Once upon a time", { temperature: 0, maxTokens: 8, ignoreEos: true }))
  first ??= performance.now()

const resident = () => {
  const status = readFileSync("/proc/self/status", "utf8")
  const kB = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)[1])
  return { rss: kB("VmRSS") * 1024, peak: kB("VmHWM") * 1024 }
}
await sleep(3000) // packing in the background has ended
process.send({ imported, created, first, ...resident() })
await llm.close()
process.exit(0)
