import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { mean, median, round } from "../lib/numbers.mjs"
import { needDist, root } from "../lib/places.mjs"

const newTokens = 160

/** The engine's own modules, from the build. */
const modules = async () => {
  needDist("layers", "engine", "Engine.js")
  const from = (path) => import(pathToFileURL(join(root, "dist", path)).href)
  const named = {
    Effect: import("effect/Effect"),
    Layer: import("effect/Layer"),
    Stream: import("effect/Stream"),
    Engine: from("services/Engine.js"),
    compose: from("layers/compose/engine.js"),
    Backend: from("services/Backend.js"),
    nullModel: from("layers/backend/nullModel.js")
  }
  const loaded = await Promise.all(Object.values(named))
  return Object.fromEntries(Object.keys(named).map((name, i) => [name, loaded[i]]))
}

/**
 * The null device with a stopwatch. Between an answer and the next step's submission runs what a step costs in JavaScript:
 * advance, detokenise, push, schedule, pack (and the resumption of the engine's fiber). Between a submission and the next
 * turn of the event loop run the readers that the pushes woke.
 */
const stopwatch = ({ Effect, Backend, Layer, nullModel }, sequences) => {
  const steps = []
  const wakes = []
  let answered = 0
  let decoding = false
  const timed = (run) => (input) =>
    Effect.async((resume) => {
      const submitted = performance.now()
      const all = input.tokens.length === sequences && input.rows.index.length === sequences
      if (all && decoding) steps.push(submitted - answered)
      setImmediate(() => {
        if (all && decoding) wakes.push(performance.now() - submitted)
        decoding = all
        const result = run(input, 0)
        answered = performance.now()
        resume(Effect.succeed(result))
      })
    })
  const layer = Layer.succeed(Backend.Backend, {
    device: { name: "null", description: "null device with a stopwatch", threads: 0, memory: 4 * 2 ** 30 },
    load: ({ plan, capacity }) =>
      Effect.sync(() => ({
        step: timed(nullModel.makeNullModel(plan, capacity, undefined)),
        weightBytes: 0,
        cacheBytes: 0
      }))
  })
  return { layer, steps, wakes }
}

const measure = async (m, sequences, streamInterval) => {
  const { Effect, Stream } = m
  const watch = stopwatch(m, sequences)
  const options = {
    model: join(root, "models", "brook"),
    maxModelLen: 256,
    maxNumSeqs: sequences,
    maxNumBatchedTokens: 8192,
    enablePrefixCaching: false,
    disableAsyncOutputProc: true, // one lane: what lies between two device steps is the JavaScript of one step
    streamInterval
  }
  const engine = m.compose.layerOver(options, watch.layer)
  const params = { temperature: 0, maxTokens: newTokens, ignoreEos: true, outputKind: "delta" }
  const one = (i) =>
    Effect.scoped(
      Effect.gen(function* () {
        const service = yield* m.Engine.Engine
        const request = { promptTokenIds: Array.from({ length: 8 }, (_, t) => 1 + ((i + 31 * t) % 500)), params }
        const generation = yield* service.submit(request)
        yield* Stream.runDrain(generation.deltas)
      })
    )
  const all = Effect.forEach(
    Array.from({ length: sequences }, (_, i) => i),
    one,
    { concurrency: "unbounded" }
  )
  await Effect.runPromise(Effect.provide(Effect.zipRight(all, all), engine)) // twice: the first warms the compiler
  const warm = (values) => values.slice(values.length >> 1)
  if (watch.steps.length < newTokens)
    throw new Error(`Only ${watch.steps.length} steps decoded all ${sequences} sequences.`)
  return { step: median(warm(watch.steps)) * 1000, wake: mean(warm(watch.wakes)) * 1000, steps: watch.steps.length }
}

export const overhead = async ({ rounds }) => {
  const m = await modules()
  const runs = []
  for (let r = 0; r < rounds; r++) {
    const [one, many, spaced] = [await measure(m, 1, 1), await measure(m, 256, 1), await measure(m, 256, 4)]
    runs.push({ one, many, spaced })
  }
  const of = (pick) => round(median(runs.map(pick)), 1)
  return {
    workload: `null device, Brook's tokenizer, ${newTokens} tokens a sequence; microseconds a step, medians (wakes: means, since an interval of 4 wakes in some steps only). Step: advance, detokenise, push, schedule, pack. Wake: the readers' fibers, one Stream each, in the turn after it`,
    figures: {
      stepUsAt1: of((r) => r.one.step),
      stepUsAt256: of((r) => r.many.step),
      wakeUsAt256Interval1: of((r) => r.many.wake),
      stepUsAt256Interval4: of((r) => r.spaced.step),
      wakeUsAt256Interval4: of((r) => r.spaced.wake)
    },
    goals: { stepUsAt1: "<= 15", stepUsAt256: "<= 300" },
    rounds: runs
  }
}
