// Tokens per second of byte-level BPE on 1 MB of text, and the time to load a tokenizer.
// usage: node test/bench/tokenizer.mjs [folder with tokenizer.json]...   (built dist, or Node with type stripping)
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"

const built = new URL("../../dist/layers/Tokenizer.js", import.meta.url)
const source = new URL("../../src/layers/Tokenizer.ts", import.meta.url)
const { load } = await import(existsSync(built) ? built : source)

const folder = (path) => ({
  path,
  config: {},
  readText: (name) =>
    Effect.sync(() => (existsSync(`${path}/${name}`) ? readFileSync(`${path}/${name}`, "utf8") : undefined))
})
const milliseconds = (start) => Number(process.hrtime.bigint() - start) / 1e6
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]

/** English prose of varied words and numbers, the same on every run. */
const prose = (() => {
  const words = readFileSync(new URL("../../LICENSE", import.meta.url), "utf8").split(/\s+/)
  let seed = 1
  let text = ""
  while (text.length < 1e6) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    text += (seed >>> 8) % 23 === 0 ? `${seed % 10000}.\n` : `${words[(seed >>> 8) % words.length]} `
  }
  return text
})()

export const tokenizerBench = async (path) => {
  const start = process.hrtime.bigint()
  const tokenizer = await Effect.runPromise(load(folder(path)))
  const loadMs = milliseconds(start)
  const times = []
  let ids = []
  for (let round = 0; round < 7; round++) {
    const begin = process.hrtime.bigint()
    ids = tokenizer.encode(prose)
    times.push(milliseconds(begin))
  }
  const firstMs = times[0]
  const encodeMs = median(times)
  const stream = tokenizer.detokenizer({
    promptTokenIds: [],
    skipSpecialTokens: true,
    spacesBetweenSpecialTokens: true
  })
  const begin = process.hrtime.bigint()
  let length = 0
  for (const id of ids) length += stream.push([id]).length
  const streamUs = (milliseconds(begin) * 1e3) / ids.length
  const rate = (ms) => `${(ids.length / ms / 1e3).toFixed(2)} M tokens/s`
  return {
    tokenizer: path,
    load: `${loadMs.toFixed(1)} ms`,
    tokens: ids.length,
    first: rate(firstMs),
    encode: rate(encodeMs),
    detokenize: `${streamUs.toFixed(3)} us/token`,
    characters: length
  }
}

export const brook = fileURLToPath(new URL("../../models/brook", import.meta.url))

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const path of process.argv.length > 2 ? process.argv.slice(2) : [brook]) console.log(await tokenizerBench(path))
