import { existsSync } from "node:fs"
import { join, resolve } from "node:path"

export const bench = resolve(import.meta.dirname, "..")
export const root = resolve(bench, "../..")
const shared = resolve(root, process.env.MILLRACE_SHARED ?? "../shared")

/** What stops a part from running: a sentence with the mend, printed instead of a stack. */
export class Missing extends Error {}

/** A path that must be there. */
export const need = (path, mend) => {
  if (!existsSync(path)) throw new Missing(`${path} is not there. ${mend}`)
  return path
}

export const fromShared = (...path) =>
  need(
    join(shared, ...path),
    "The folder `shared` is no part of a clone: put it beside the clone, or name it in MILLRACE_SHARED."
  )

/** A file of the build; by default the public entry. */
export const needDist = (...path) =>
  need(
    join(root, "dist", ...(path.length > 0 ? path : ["index.js"])),
    "Build Millrace first: `npm ci` or `npm run prepare` in the clone."
  )
export const needPeer = () =>
  need(
    join(bench, "node_modules", "node-llama-cpp", "package.json"),
    "Install the peer: `npm ci --ignore-scripts` in test/bench."
  )
