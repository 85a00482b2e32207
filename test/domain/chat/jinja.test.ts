import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { TemplateFault } from "../../../src/domain/chat/jinja/fault.ts"
import { compile, render } from "../../../src/domain/chat/jinja/template.ts"

/** What jinja2 3.1.6 printed, in the environment of transformers (sandboxed, trim_blocks, lstrip_blocks, loopcontrols). */
const python: {
  readonly variables: Readonly<Record<string, unknown>>
  readonly cases: ReadonlyArray<{ readonly template: string; readonly text?: string; readonly error?: string }>
} = JSON.parse(readFileSync(join(import.meta.dirname, "../../golden/chat_templates/jinja.json"), "utf8"))

const limits = { steps: 100_000, characters: 100_000, depth: 100 }
const print = (source: string, variables: Readonly<Record<string, unknown>> = {}, now = 0) =>
  render(compile(source), { variables, now, limits })

/** The fault of a template, which must be one: nothing else may come out of the engine. */
const faultOf = (source: string, variables: Readonly<Record<string, unknown>> = {}) => {
  try {
    print(source, variables)
  } catch (fault) {
    if (fault instanceof TemplateFault) return fault
    throw fault
  }
  throw new Error(`no fault in ${source}`)
}

describe("what Python's jinja2 prints", () => {
  for (const { template, text, error } of python.cases)
    it(JSON.stringify(template).slice(0, 100), () => {
      if (text !== undefined) expect(print(template, python.variables)).toBe(text)
      else expect(faultOf(template, python.variables).message, error).not.toBe("")
    })
})

describe("what transformers adds to jinja2", () => {
  it("leaves the text of a generation block in its place", () =>
    expect(print("a{% generation %}\nb{% set x = 1 %}{% endgeneration %}\nc{{ x }}")).toBe("abc"))

  it("writes the caller's date in English, in the host's time zone", () => {
    const then = new Date(2024, 1, 5, 9, 7, 3).getTime()
    expect(print("{{ strftime_now('%d %b %Y|%A, %B %-d|%H:%M:%S|%I %p|%j|%y-%m-%d|%%|%q') }}", {}, then)).toBe(
      "05 Feb 2024|Monday, February 5|09:07:03|09 AM|036|24-02-05|%|%q"
    )
  })
})

describe("more than the sandbox of transformers allows", () => {
  it("changes lists and dicts of its own, never the caller's", () => {
    const messages = [{ role: "user" }]
    const source =
      "{% set xs = [] %}{% set _ = xs.append(1) %}{% set _ = xs.extend([2, 3]) %}{% set _ = xs.insert(0, 9) %}" +
      "{{ xs }}{{ xs.pop() }}{% set _ = messages[0].update({'role': 'x'}, k=1) %}{{ messages }}"
    expect(print(source, { messages })).toBe("[9, 1, 2, 3]3[{'role': 'x', 'k': 1}]")
    expect(messages).toEqual([{ role: "user" }])
  })
})

describe("a fault", () => {
  it("of syntax names the line and what was expected", () => {
    const lines: ReadonlyArray<readonly [string, number, RegExp]> = [
      ["a\nb\n{% if x %}\nc", 3, /endif.*missing/],
      ["a\n{{ x +\n }}", 3, /expected an expression/],
      ["{% for in xs %}{% endfor %}", 1, /expected 'in'/],
      ["\n\n{{ 'open", 3, /unexpected|not closed/],
      ["\n{# open", 2, /comment is not closed/],
      ["\n{% raw %} x", 2, /raw block is not closed/],
      ["\r\n\r\n{% include 'x' %}", 3, /unknown tag 'include'/],
      ["{{ (1] }}", 1, /unexpected '\]'/],
      ["{% endif %}", 1, /unknown tag 'endif'/],
      ["x\n{{ a", 2, /not closed/]
    ]
    for (const [source, line, message] of lines) {
      const fault = faultOf(source)
      expect([fault.kind, fault.line], source).toEqual(["syntax", line])
      expect(fault.message).toMatch(message)
    }
  })

  it("while rendering names the line of the operation, within macros and after them", () => {
    expect(faultOf("a\n{{ missing.name }}").line).toBe(2)
    expect(faultOf("{% macro f() %}\n\n{{ 1 + 'a' }}{% endmacro %}\n\n{{ f() }}").line).toBe(3)
    expect(faultOf("{% macro f() %}\n\nx{% endmacro %}\n{{ f() +\n 1 }}").line).toBe(4)
    expect(faultOf("{{ 1 |\n nothing }}").message).toBe("there is no filter named 'nothing'")
    expect(faultOf("{{ 1 is\n nothing }}").message).toBe("there is no test named 'nothing'")
    expect(faultOf("{{ none() }}").message).toBe("'NoneType' object is not callable")
  })

  it("that the template raises keeps its words", () => {
    const fault = faultOf("\n{{ raise_exception('roles must alternate') }}")
    expect([fault.kind, fault.message, fault.line]).toEqual(["raised", "roles must alternate", 2])
  })
})

describe("a damaged template", () => {
  const bits = [
    "{{",
    "}}",
    "{%",
    "%}",
    "-",
    "(",
    ")",
    "[",
    "]",
    "|",
    ".",
    "none",
    "'",
    "1e308",
    "loop",
    "*",
    " in ",
    "\n"
  ]

  it("gives a text or a TemplateFault, never anything else", () => {
    let seed = 7
    const below = (limit: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return Math.floor((seed / 2 ** 31) * limit)
    }
    const outcomes = new Set<string>()
    for (let round = 0; round < 3000; round++) {
      const { template } = python.cases[below(python.cases.length)]!
      const at = below(template.length)
      const source = template.slice(0, at) + bits[below(bits.length)] + template.slice(at + below(4))
      try {
        print(source, python.variables)
        outcomes.add("text")
      } catch (fault) {
        if (!(fault instanceof TemplateFault)) throw new Error(`${source}: ${fault}`)
        outcomes.add(fault.kind)
      }
    }
    expect([...outcomes].sort()).toEqual(["failed", "syntax", "text"])
  })
})
