import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { availableParallelism, cpus, loadavg, totalmem } from "node:os"
import { root } from "./places.mjs"

const git = (...words) => execFileSync("git", words, { cwd: root, encoding: "utf8" }).trim()
const family = ["avx512_bf16", "avx512f", "avx2"]

const flags = () => {
  try {
    return new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].trim().split(" "))
  } catch {
    return new Set()
  }
}

/** Said in the results by itself: shares and times of a machine that has other work mean little. */
const quiet = () => {
  const [minute] = loadavg()
  const busy = minute > availableParallelism() / 2
  return busy
    ? `shared: other work kept ${minute.toFixed(1)} of ${availableParallelism()} cores busy when this began`
    : "quiet"
}

/** What a figure must say about where it came from. */
export const machine = () => {
  const has = flags()
  const dirty = git("status", "--porcelain", "--untracked-files=no") !== ""
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    instructions: family.find((flag) => has.has(flag)) ?? "portable",
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    commit: git("rev-parse", "--short", "HEAD") + (dirty ? " with uncommitted changes" : ""),
    date: new Date().toISOString(),
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`.trim(),
    load: quiet()
  }
}
