import { join } from "node:path"
import { median, round } from "../lib/numbers.mjs"
import { bench, need, needDist } from "../lib/places.mjs"
import { mixedLengths, poolModel } from "../lib/poolModel.mjs"
import { openSide } from "../lib/side.mjs"

const threads = 2
const texts = { minilm: 128, "xlmr-base": 32 }

const needTransformers = () =>
  need(
    join(bench, "node_modules", "@huggingface", "transformers", "package.json"),
    "Install the peer: `npm ci --ignore-scripts` in test/bench."
  )

const cosine = (a, b) => {
  const dot = (x, y) => x.reduce((sum, value, at) => sum + value * y[at], 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

/** The sides, each in a process of its own. The peer's batches hold 32 texts, which are padded to their longest, or one. */
const openSides = (model) => ({
  float32: openSide("poolOurs", { model, threads, dtype: "float32" }),
  bfloat16: openSide("poolOurs", { model, threads, dtype: "bfloat16" }),
  peer32: openSide("poolPeer", { model, threads, dtype: "fp32", batch: 32 }),
  peer32Single: openSide("poolPeer", { model, threads, dtype: "fp32", batch: 1 }),
  peerInt8: openSide("poolPeer", { model, threads, dtype: "q8", batch: 32 }),
  peerInt8Single: openSide("poolPeer", { model, threads, dtype: "q8", batch: 1 })
})

/** That both compute the same thing, or the race means nothing. */
const checkAlike = async (sides) => {
  const lengths = [40, 25]
  const [ours, peer] = [await sides.float32.call("first", { lengths }), await sides.peer32.call("first", { lengths })]
  const alike = cosine(ours, peer)
  if (!(alike > 0.9999)) throw new Error(`The two engines give different embeddings: cosine ${alike}.`)
  return alike
}

const measure = async (sides, lengths, rounds) => {
  const results = []
  for (let r = -1; r < rounds; r++) {
    const rates = {}
    for (const [name, side] of Object.entries(sides))
      rates[name] = round(await side.call("rate", { lengths, salt: r + 2 }))
    if (r < 0) continue // warm
    results.push(rates)
    console.error(`  round ${r + 1}: ${JSON.stringify(rates)}`)
  }
  return results
}

/** The peer as it is used, in batches, and as it would be by one who knows its padding: the better of batches and one by one. */
const peers = {
  "float32 in batches": (r) => r.peer32,
  "float32 at its best": (r) => Math.max(r.peer32, r.peer32Single),
  "int8 at its best": (r) => Math.max(r.peerInt8, r.peerInt8Single)
}

const figures = (results) => {
  const of = (rate) => round(median(results.map(rate)))
  const all = { float32: of((r) => r.float32), bfloat16: of((r) => r.bfloat16) }
  for (const [name, peer] of Object.entries(peers)) {
    all[`peer ${name}`] = of(peer)
    for (const ours of ["float32", "bfloat16"]) all[`${ours} / peer ${name}`] = of((r) => r[ours] / peer(r))
  }
  return all
}

const shape = async (name, rounds) => {
  const model = poolModel(name)
  const sides = openSides(model)
  try {
    await Promise.all(Object.values(sides).map((side) => side.ready))
    const alike = await checkAlike(sides)
    const mixed = await measure(sides, mixedLengths(texts[name]), rounds)
    const equal = await measure(sides, new Array(texts[name] / 2).fill(128), rounds)
    return { alike, mixed, equal }
  } finally {
    for (const side of Object.values(sides)) side.close()
  }
}

const label = (prefix, values) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}: ${key}`, value]))

export const pooling = async ({ rounds }) => {
  needDist()
  needTransformers()
  const all = {}
  const raw = {}
  const goals = {}
  for (const name of Object.keys(texts)) {
    raw[name] = await shape(name, rounds)
    const { alike, mixed, equal } = raw[name]
    Object.assign(all, { [`${name}: cosine of the two engines`]: round(alike, 7) })
    Object.assign(all, label(`${name}, mixed`, figures(mixed)), label(`${name}, equal`, figures(equal)))
    goals[`${name}, mixed: float32 / peer float32 in batches`] = ">= 2"
    goals[`${name}, equal: float32 / peer float32 at its best`] = ">= 1"
    goals[`${name}, equal: bfloat16 / peer float32 at its best`] = ">= 1.5"
  }
  return {
    workload: `texts a second on random encoders of MiniLM-L6's and XLM-R base's shapes, ${threads} threads, mean pooling: ${Object.entries(
      texts
    )
      .map(([name, count]) => `${count} texts (${name})`)
      .join(
        ", "
      )} of 16 to 256 tokens in no order, half as many of 128; transformers.js (ONNX Runtime) in batches of 32 (padded) and at the better of that and one by one; medians of interleaved rounds`,
    figures: all,
    goals,
    rounds: raw
  }
}
