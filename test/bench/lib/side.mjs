import { fork } from "node:child_process"
import { join } from "node:path"
import { bench } from "./places.mjs"

/**
 * One of the two engines in a process of its own, loaded and waiting while the other works.
 * Calls go one at a time: `await side.call("streams", { count, promptTokens, newTokens })`.
 */
export const openSide = (name, options) => {
  const child = fork(join(bench, "sides", "child.mjs"), [name, JSON.stringify(options)], { stdio: "inherit" })
  let settle = () => {}
  const next = () =>
    new Promise((resolve, reject) => {
      settle = ({ value, error }) => (error === undefined ? resolve(value) : reject(new Error(`${name}: ${error}`)))
    })
  child.on("message", (message) => settle(message))
  child.on("exit", (code) => settle({ error: `the process ended with ${code}` }))
  const ready = next()
  return {
    name,
    ready,
    call: (verb, argument) => {
      const answer = next()
      child.send({ verb, argument })
      return answer
    },
    close: () => child.kill("SIGKILL")
  }
}
