import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { TemplateFault } from "../../../src/domain/chat/jinja/fault.ts"
import { compile } from "../../support/jinja.ts"

/** What jinja2 3.1.6 printed, in the environment of transformers (sandboxed, trim_blocks, lstrip_blocks, loopcontrols). */
const python: {
  readonly variables: Readonly<Record<string, unknown>>
  readonly cases: ReadonlyArray<{ readonly template: string; readonly text?: string; readonly error?: string }>
} = JSON.parse(readFileSync(join(import.meta.dirname, "../../golden/chat_templates/jinja.json"), "utf8"))

const limits = { steps: 100_000, characters: 100_000, depth: 100 }
const print = (source: string, variables: Readonly<Record<string, unknown>> = {}, now = 0) =>
  compile(source).render({ variables, now, limits })

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

/**
 * Snippets that the library and our mends of it do not render as Python does, by how they begin, each with its cause. A line
 * that is wrong here fails, as does one that is missing.
 */
const differing: ReadonlyArray<readonly [string, string]> = [
  ["{{ [1, 'a', none", "the parser knows neither (1,) nor ()"],
  ["{{ [1,2] + [3] }}", "the parser knows neither (1,) nor ()"],
  ["{{ 1e3 }}", "the lexer knows no exponents and no hexadecimal numbers"],
  ["{{ 1000000 }}", "the lexer knows no exponents"],
  ['{{ "a" "b"', "the lexer knows no octal and no unknown escapes"],
  ["{{ 2 + 3 ~ 4 }}", "the parser lets ~ bind as + does"],
  ["{% for t in [{'n':1", "the parser knows no recursive loops"],
  ["{% macro inner(x)", "the parser knows no filters on blocks of set, and one on those of filter"],
  ["{% with a = 1", "the parser knows no with"],
  ["{% raw %}{{ not", "the parser knows no raw"],
  ["{% raw -%}", "the parser knows no raw"],
  ["a{% raw %}", "the parser knows no raw"],
  ["line1\n{% if true %}", "the lexer knows no {%+"],
  ["{% macro f(a) %}", "varargs is a list, no tuple"],
  ["{{ xs[1:] }}", "a bound of a slice may not be none"],
  ["{{ d|dictsort }}", "the pairs of dictsort are lists, no tuples"],
  ["{{ [1.0, 2, true", "tojson writes 1.0 as 1, and keys of dicts are texts"],
  ["{{ xs|sort }}", "sort takes one attribute"],
  ["{% for k, g in users|groupby", "groups have no names for their parts"],
  ["{{ xs|batch(3)", "there is no filter slice"],
  ["{{ html|escape }}", "there are no filters striptags, urlencode"],
  ['{{ "hello big world"', "there are no filters truncate, center"],
  ['{{ "abc"|first }}', "there are no filters attr, filesizeformat"],
  ["{{ [3,1,2]|sort|first }}", "lists of lists have no order, and there is no filter pprint"],
  ['{{ "hello-world', "there is no method swapcase"],
  ['{{ "{} {1}', "there is no method format"],
  ['{{ "a,b,,c".split', "there is no method rsplit"],
  ['{{ "a.b.c".partition', "there are no methods partition, zfill"],
  ['{{ "12".isdigit', "there are no methods isdigit, isalpha, isspace"],
  ["{{ dict(a=1", "there are no cycler and joiner"]
]

describe("what Python's jinja2 prints", () => {
  it("is told apart by how it begins", () => {
    for (const [start] of differing)
      expect(python.cases.filter(({ template }) => template.startsWith(start)).length, start).toBe(1)
  })

  const rendered = (template: string): string | undefined => {
    try {
      return print(template, python.variables)
    } catch (fault) {
      if (fault instanceof TemplateFault) return undefined
      throw fault
    }
  }
  for (const { template, text } of python.cases)
    it(JSON.stringify(template).slice(0, 100), () => {
      if (differing.some(([start]) => template.startsWith(start))) expect(rendered(template)).not.toBe(text)
      else expect(rendered(template)).toBe(text)
    })
})

describe("what transformers adds to jinja2", () => {
  it("leaves the text of a generation block in its place", () =>
    expect(print("a{% generation %}\nb{% endgeneration %}\nc")).toBe("abc"))

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
      ["a\nb\n{% if x %}\nc", 3, /a block or a tag is not closed/],
      ["a\n{{ x +\n }}", 2, /Unexpected token: CloseExpression/],
      ["{% for in xs %}{% endfor %}", 1, /Expected `in`/],
      ["\n\n{{ 'open", 3, /Unexpected end/],
      ["\n{# open", 2, /Missing end of comment/],
      ["\r\n\r\n{% include 'x' %}", 3, /Unknown statement type: include/],
      ["{{ (1] }}", 1, /CloseSquareBracket/],
      ["{% endif %}", 1, /Unknown statement type: endif/],
      ["{% if a %}\n{% elif b %}\n{% else %}\n{{ 1 2 }}{% endif %}", 4, /NumericLiteral/],
      ["x\n{{ a", 2, /Unexpected end/]
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
    expect(
      faultOf("{% if 0 %}{# c #}\n{% elif 0 %}\n{% else %}a\n{% set x %}\n{{ 1 / 0 }}{% endset %}{% endif %}").line
    ).toBe(5)
    expect(
      faultOf("{% for x in [1] %}\n{% else %}{% endfor %}{% generation %}\n{{ 'a' * {} }}{% endgeneration %}").line
    ).toBe(3)
    expect(faultOf("{{ '{%' }}\n{{ {'a': {'b': 1}} }}\n{{ x.y.z }}").line).toBe(3)
    expect(faultOf("{{ 1 |\n nothing }}").message).toBe("there is no filter named 'nothing'")
    expect(faultOf("{{ 1 is\n nothing }}").message).toBe("there is no test named 'nothing'")
    expect(faultOf("{{ none() }}").message).toMatch(/not a function/)
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
