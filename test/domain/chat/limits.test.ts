import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import type { ChatTemplateOptions } from "../../../src/domain/chat/options.ts"
import { renderChat } from "../../../src/domain/chat/render.ts"
import { TemplateStore } from "../../../src/domain/chat/templates.ts"
import { compile } from "../../support/jinja.ts"

const surroundings = { specialTokens: {}, now: 0 }
const chat = [{ role: "user", content: "Hi" }]

const refusal = (own: string | undefined, options: ChatTemplateOptions, messages: ReadonlyArray<unknown> = chat) => {
  const store = new TemplateStore(new Map(own === undefined ? [] : [["default", own]]), compile)
  const rendered = renderChat(store, messages, options, surroundings)
  return Either.isLeft(rendered) ? rendered.left : expect.fail(`rendered ${rendered.right.slice(0, 80)}`)
}

const nested = (open: string, close: string, times: number) => open.repeat(times) + close.repeat(times)

/** Programs that would take all time or memory; what they say when they are stopped. */
const bombs: Readonly<Record<string, readonly [string, RegExp]>> = {
  "a range without end": ["{% for i in range(1000000000) %}x{% endfor %}", /range asks for 1000000000 numbers/],
  "loops in loops": [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}",
    /more than \d+ steps/
  ],
  "a macro that calls itself": ["{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", /nests more than 100 levels/],
  "a macro that calls itself twice": [
    "{% macro f(n) %}{% if n < 90 %}{{ f(n + 1) }}{{ f(n + 1) }}{% endif %}{% endmacro %}{{ f(0) }}",
    /more than \d+ steps/
  ],
  "a block that calls its caller": [
    "{% macro f() %}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}",
    /nests more than 100 levels/
  ],
  "a text that doubles": [
    "{% set n = namespace(s='x') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
    /more than \d+ (characters|steps)/
  ],
  "a text repeated": ["{{ 'abc' * 1000000000 }}", /more than \d+ characters/],
  "a list repeated": ["{{ ([1, 2] * 1000000000)|length }}", /more than \d+ characters/],
  "a list that doubles": [
    "{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s }}",
    /more than \d+ (steps|levels)/
  ],
  "equality of lists that double": [
    "{% set n = namespace(a=[1], b=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}",
    /more than \d+ (steps|levels)/
  ],
  "JSON of lists that double": [
    "{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = [n.s, n.s] %}{% endfor %}{{ n.s|tojson }}",
    /more than \d+ (steps|levels)/
  ],
  "a list that holds itself": ["{% set a = [1] %}{% set _ = a.append(a) %}{{ a }}", /nests more than 100 levels/],
  "a namespace that holds itself": ["{% set n = namespace() %}{% set n.n = n %}{{ n }}", /nests more than 100 levels/],
  "a loop over a list that grows": [
    "{% set a = [1] %}{% for i in range(99999) %}{% set _ = a.extend(a) %}{% endfor %}",
    /more than \d+ (steps|characters)/
  ],
  "a wide field": ["{{ '%999999999d' % 1 }}", /more than \d+ characters/],
  "a deep indent": ["{{ [[1]]|tojson(indent=999999999) }}", /more than \d+ characters/],
  "a wide indent": ["{{ 'a\nb'|indent(999999999) }}", /more than \d+ characters/],
  "a join that multiplies": ["{% set s = 'x' * 1000000 %}{{ range(99999)|join(s) }}", /more than \d+ characters/],
  "a replacement that multiplies": ["{% set s = 'x' * 1000000 %}{{ s|replace('x', s) }}", /more than \d+ characters/],
  "many large texts": [
    "{% set s = 'x' * 8000000 %}{% for i in range(99999) %}{% set t = s|upper %}{% endfor %}",
    /more than \d+ steps/
  ],
  "much output": [
    "{% set s = 'x' * 1000000 %}{% for i in range(99999) %}{{ s }}{% endfor %}",
    /more than \d+ characters/
  ],
  "splitting into letters": [
    "{% set s = 'x ' * 4000000 %}{% set n = namespace(a=[]) %}{% for i in range(99) %}{% set n.a = [n.a, s.split()] %}{% endfor %}",
    /more than \d+ (steps|levels)/
  ],
  "macros made in a loop": [
    `{% for i in range(99999) %}{% macro f() %}${"{{ x }}".repeat(100_000)}{% endmacro %}{% endfor %}`,
    /more than \d+ steps/
  ],
  "long lists of arguments": [
    "{% macro f() %}{{ varargs[0] }}{% endmacro %}{% set xs = range(99999) %}{% for i in xs %}{{ f(*xs) }}{% endfor %}",
    /more than \d+ steps/
  ],
  "copies of a namespace": [
    "{% set d = dict(range(99999)|map('string')|batch(2)|list) %}{% for i in range(99999) %}{% set n = namespace(d) %}{% endfor %}",
    /more than \d+ steps/
  ],
  "a start among many": [
    "{% set xs = range(99999)|map('string')|list %}{% for x in xs %}{% set y = 'x'.startswith(xs) %}{% endfor %}",
    /more than \d+ steps/
  ],
  "tests in tests": [`{{ ${"x is eq(".repeat(100_000)}1${")".repeat(100_000)} }}`, /nests (more than|too deep)/],
  "tests that do not close": [`{{ ${"x is eq(".repeat(100_000)} }}`, /chat template/],
  "directives that do not close": ["{% set s = '%(' * 4000000 %}{{ s % {'a': 1} }}{{ 1 / 0 }}", /zero|steps/],
  "a long number that is none": ["{% set s = '1' * 4000000 ~ 'x' %}{{ s|float }}{{ s|int }}{{ 1 / 0 }}", /zero|steps/],
  "JSON of a long key, many times": [
    "{% set d = dict([['x' * 1000000, 1]]) %}{{ ([d] * 100000)|tojson }}",
    /more than \d+ (characters|steps)/
  ],
  "JSON with long separators": [
    "{% set s = 'x' * 1000000 %}{{ range(99999)|tojson(separators=(s, s)) }}",
    /more than \d+ characters/
  ],
  "unique of many": ["{{ range(99999)|unique|length }}", /more than \d+ steps/],
  "a power without end": ["{{ 10 ** 999 }}", /no number/],
  "brackets in brackets": [`{{ ${nested("[", "]", 50_000)} }}`, /nests (more than|too deep)/],
  "signs before signs": [`{{ ${"-".repeat(50_000)}1 }}`, /nests (more than|too deep)/],
  "blocks in blocks": [nested("{% if 1 %}", "{% endif %}", 10_000), /nests (more than|too deep)/],
  "a sum of many": [`{{ ${"1 + ".repeat(100_000)}1 }}`, /nests too deep/],
  "filters after filters": [`{{ 1${" | abs".repeat(100_000)} }}`, /nests too deep/],
  "a chain to loop over": [
    `{% for m in messages${" | list".repeat(100_000)} %}{% for c in m.content %}{% endfor %}{% endfor %}`,
    /nests too deep/
  ],
  "a chain beside a loop over parts": [
    `{% for m in messages %}{% for c in m.content %}{% endfor %}{% endfor %}{{ 1${" + 1".repeat(100_000)} }}`,
    /nests too deep/
  ],
  "blanks in a row": [`{{ 1 }}${" ".repeat(500_000)}x`, /500 blanks in a row/],
  "tags that do not close": ["{% ".repeat(300_000), /chat template/],
  "calls after calls": [`{{ x${"()".repeat(100_000)} }}`, /nests too deep/]
}

describe("a template from a request", () => {
  for (const [name, [chatTemplate, message]] of Object.entries(bombs))
    it(`is stopped: ${name}`, () => {
      const error = refusal(undefined, { chatTemplate })
      expect(error.field).toBe("chatTemplate")
      expect(error.message).toMatch(message)
    })

  it("is refused when it is longer than any template", () =>
    expect(refusal(undefined, { chatTemplate: "{{ 1 }}".repeat(200_000) }).message).toMatch(/1400000 characters/))

  it("is named with the line at fault", () =>
    expect(refusal(undefined, { chatTemplate: "a\n{{ messages[0].content + 1 }}" }).message).toMatch(
      /chatTemplate.*'str' and 'int' at line 2 of the chat template \(\{\{ messages\[0\]\.content \+ 1 \}\}\)/
    ))
})

describe("the checkpoint's own template", () => {
  it("cannot hang the engine either", () =>
    expect(refusal("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", {}).field).toBe("chatTemplate"))

  it("blames the messages for what it cannot read, or refuses", () => {
    const own = "{{ messages[0].content + 'x' }}"
    expect(refusal(own, {}, [{ role: "user", content: [] }]).field).toBe("messages")
    expect(refusal("{{ raise_exception('No ' + messages[0].role) }}", {}).message).toMatch(
      /messages.*It says: No user at line 1/
    )
  })

  it("gets through a chat of thousands of turns", () => {
    const own = "{% for m in messages %}<{{ m.role }}>{{ m['content'] | trim }}{% endfor %}"
    const long = Array.from({ length: 20_000 }, () => ({ role: "user", content: "word ".repeat(100) }))
    const rendered = renderChat(new TemplateStore(new Map([["default", own]]), compile), long, {}, surroundings)
    expect(Either.getOrThrow(rendered).length).toBe(20_000 * ("<user>".length + 499))
  })

  it("is not shown values that go deeper than any JSON, or round", () => {
    const loop: Record<string, unknown> = {}
    loop.self = loop
    expect(refusal("x", { chatTemplateKwargs: { loop } }).message).toMatch(/nests more than 100 levels/)
    expect(refusal("x", { chatTemplateKwargs: { now: () => 1 } }).message).toMatch(/a function cannot be shown/)
  })
})

describe("compiled templates", () => {
  it("of requests are kept while they are used, and not for good", () => {
    const store = new TemplateStore(new Map([["default", "own"]]), compile)
    const open = (name: string) => Either.getOrThrow(store.choose(`{{ "${name}" }}`, false)).open()
    const [first, second] = [open("first"), open("second")]
    for (let at = 0; at < 15; at++) {
      open(`other ${at}`)
      expect(open("first")).toBe(first)
    }
    expect(open("second")).not.toBe(second)
  })
})
