// npm run bench [-- part... [--rounds N] [--note TEXT] [--no-save]]    Parts that are not named all run, in this order.
import { parseArgs } from "node:util"
import { machine } from "./lib/machine.mjs"
import { Missing } from "./lib/places.mjs"
import { print, save } from "./lib/report.mjs"
import { forks } from "./parts/forks.mjs"
import { grammar } from "./parts/grammar.mjs"
import { overhead } from "./parts/overhead.mjs"
import { peak } from "./parts/peak.mjs"
import { batch32, decode, prefill512 } from "./parts/peer.mjs"
import { pooling } from "./parts/pooling.mjs"
import { startup } from "./parts/startup.mjs"
import { tokenizer } from "./parts/tokenizer.mjs"

const parts = { peak, decode, batch32, prefill512, overhead, startup, tokenizer, forks, pooling, grammar }

const options = { rounds: { type: "string", default: "5" }, note: { type: "string" }, "no-save": { type: "boolean" } }
const given = () => {
  try {
    return parseArgs({ allowPositionals: true, options })
  } catch (error) {
    console.error(`${error.message}\nusage: npm run bench [-- part... [--rounds N] [--note TEXT] [--no-save]]`)
    process.exit(2)
  }
}
const { values, positionals } = given()
const unknown = positionals.filter((name) => !(name in parts))
if (unknown.length > 0) {
  console.error(`No bench part is named ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}.`)
  process.exit(2)
}

const wanted = positionals.length > 0 ? positionals : Object.keys(parts)
const report = { machine: { ...machine(), ...(values.note && { note: values.note }) }, parts: {} }
for (const name of wanted) {
  console.error(`${name} ...`)
  try {
    report.parts[name] = await parts[name]({ rounds: Number(values.rounds) })
    print(name, report.parts[name])
  } catch (error) {
    console.error(error instanceof Missing ? `  left out: ${error.message}` : error)
    report.parts[name] = { leftOut: error.message }
    process.exitCode = 1
  }
}
if (!values["no-save"]) console.error(`Written: ${save(report).join(", ")}`)
process.exit()
