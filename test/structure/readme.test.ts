import { existsSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"

const root = new URL("../../", import.meta.url)
const readme = readFileSync(new URL("README.md", root), "utf8")
const walk = readme.slice(readme.indexOf("<!-- walk: begin -->"), readme.indexOf("<!-- walk: end -->"))
const stops = walk.split("\n").filter((line) => /^\d+\. /.test(line))

/** Backquoted paths of a line, each with the backquoted names that follow it. */
const places = (line: string) => {
  const found: Array<{ path: string; names: Array<string> }> = []
  for (const [, text] of line.matchAll(/`([^`]+)`/g)) {
    if (text!.includes("/")) found.push({ path: text!, names: [] })
    else found.at(-1)?.names.push(text!)
  }
  return found
}

describe("the README's walk of one request", () => {
  it("has ten stops", () => expect(stops).toHaveLength(10))

  it.each(stops)("%s", (stop) => {
    expect(places(stop).length).toBeGreaterThan(0)
    for (const { path, names } of places(stop)) {
      const url = new URL(path, root)
      expect(existsSync(url), path).toBe(true)
      const text = readFileSync(url, "utf8")
      for (const name of names) expect(text, `${path} has no ${name}`).toContain(name)
    }
  })

  it("names only scripts that package.json has", () => {
    const { scripts } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
      scripts: Record<string, string>
    }
    for (const [, name] of readme.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(name)
  })
})
