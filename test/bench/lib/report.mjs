import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bench } from "./places.mjs"

const line = (key, value, goals) =>
  `| ${key} | ${typeof value === "object" ? JSON.stringify(value) : value} | ${goals?.[key] ?? ""} |`

const table = ({ figures, goals }) =>
  [
    "| figure | value | goal |",
    "| --- | --- | --- |",
    ...Object.entries(figures).map(([k, v]) => line(k, v, goals))
  ].join("\n")

const section = ([name, part]) =>
  part.leftOut ? `## ${name}\nLeft out: ${part.leftOut}` : `## ${name}\n${part.workload}\n\n${table(part)}`

const markdown = ({ machine, parts }) =>
  [
    `# ${machine.cpu} (${machine.instructions}), ${machine.cores} cores`,
    Object.entries(machine)
      .map(([key, value]) => `- ${key}: ${value}`)
      .join("\n"),
    ...Object.entries(parts).map(section)
  ].join("\n\n") + "\n"

export const print = (name, part) => console.log(`${section([name, part])}\n`)

/** Writes results/<date>-<cpu>.json and .md; answers their paths. */
export const save = (report) => {
  const cpu = report.machine.cpu
    .replace(/\(R\)|\(TM\)/g, "")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
  const folder = join(bench, "results")
  const stem = join(folder, `${report.machine.date.slice(0, 16).replace(":", "")}-${cpu}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${stem}.json`, `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(`${stem}.md`, markdown(report))
  return [`${stem}.json`, `${stem}.md`]
}
