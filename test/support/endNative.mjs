// Ends a process or a worker thread while a native step runs. usage: node endNative.mjs exit|terminate|idle REQUEST BINARY
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { deserialize } from "node:v8"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"

const [mode, requestFile, binary] = isMainThread ? process.argv.slice(2) : workerData
const addon = createRequire(import.meta.url)(binary)
const { request, steps } = deserialize(readFileSync(requestFile))

const running = (then) =>
  addon.load(request, (error, model) => {
    if (error) throw error
    for (const step of steps) model.step(step, () => {})
    then()
  })

if (!isMainThread) running(() => parentPort.postMessage("running"))
else if (mode === "exit") running(() => process.exit(7))
else if (mode === "idle") running(() => {})
else {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: [mode, requestFile, binary] })
  worker.on("message", () => worker.terminate().then(() => console.log("terminated")))
  worker.on("error", (error) => {
    throw error
  })
}
