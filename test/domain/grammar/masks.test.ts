import * as FastCheck from "effect/FastCheck"
import { describe, expect, it } from "vitest"
import type { TokenConstraint } from "../../../src/domain/grammar/constraint.ts"
import type { GrammarSource } from "../../../src/domain/grammar/source.ts"
import { allowed, compile, small, start } from "./run.ts"
import { documents } from "./schemas.ts"

const sources: ReadonlyArray<GrammarSource> = [
  { jsonObject: true },
  { json: { type: "string", minLength: 3, maxLength: 40 } },
  { json: { type: "array", items: { type: "string", maxLength: 2 } } },
  {
    json: { type: "object", properties: { a: { type: "integer" }, ab: true }, additionalProperties: { type: "null" } }
  },
  { regex: "(ab|abc|name)*[a-z ]{0,5}(é|日本)?.*" },
  { regex: "(a|aa|aaa){2,9}b" },
  { grammar: 'root ::= "a" root "b" | "a" root "c" | "ab"\n' },
  { grammar: 'root ::= word (" " word)* tail?\nword ::= [a-z]+\ntail ::= "." | ". " root' },
  { sequence: [{ text: '{"name":' }, { json: { type: "string" } }, { either: [{ text: "}" }, { jsonObject: true }] }] }
]

/** The tokens that the grammar takes, by asking it for each: one after the other on a fork. */
const taken = (constraint: TokenConstraint): Array<number> => {
  const ids: Array<number> = []
  for (let id = 0; id <= small.end; id++) {
    try {
      constraint.fork().accept(id)
      ids.push(id)
    } catch {
      // Not allowed here.
    }
  }
  return ids
}

/** Tokens that write two members of one object: those are offered in parts only. */
const twoMembers = new Set(['"a":1,"a"'].flatMap((text) => ids(text)))
function ids(text: string) {
  const bytes = Buffer.from(text).toString("hex")
  return Array.from({ length: small.end }, (_, id) => id).filter(
    (id) => Buffer.from(small.bytesOf(id)!).toString("hex") === bytes
  )
}

const follow = (source: GrammarSource, picks: ReadonlyArray<number>) => {
  const constraint = start(compile(source))
  for (const pick of picks) {
    const mask = allowed(constraint)
    const brute = taken(constraint).filter((id) => constraint.finished || !twoMembers.has(id))
    expect(mask.filter((id) => !twoMembers.has(id))).toEqual(brute)
    if (constraint.finished) return
    const texts = mask.filter((id) => id !== small.end)
    constraint.accept(texts[pick % texts.length]!)
  }
}

const picks = FastCheck.array(FastCheck.nat(), { maxLength: 25 })

describe("a mask", () => {
  it.each(sources)("allows the very tokens that %j takes, at every step", (source) => {
    FastCheck.assert(
      FastCheck.property(picks, (list) => follow(source, list)),
      { numRuns: 12 }
    )
  })

  it("allows the very tokens that a random schema takes", () => {
    FastCheck.assert(
      FastCheck.property(documents, picks, (json, list) => {
        try {
          compile({ json })
        } catch {
          return
        }
        follow({ json }, list)
      }),
      { numRuns: 60 }
    )
  })

  it("keeps no key that stands already, however it is cut into tokens", () => {
    const constraint = start(compile({ jsonObject: true }))
    for (const byte of Buffer.from('{"name": 1, "ab":{"name":2}, ')) constraint.accept(byte)
    const mask = allowed(constraint)
    for (const text of ['"name', '"', '"a']) expect(mask).toEqual(expect.arrayContaining(ids(text)))
    for (const byte of Buffer.from('"nam')) constraint.accept(byte)
    expect(allowed(constraint)).toContain("e".charCodeAt(0))
    constraint.accept("e".charCodeAt(0))
    for (const text of ['"', '":', '": ']) expect(allowed(constraint)).not.toEqual(expect.arrayContaining(ids(text)))
    constraint.accept("s".charCodeAt(0))
    for (const text of ['"', '":', '": ']) expect(allowed(constraint)).toEqual(expect.arrayContaining(ids(text)))
  })

  it("sets the bits of the end exactly where the text may end", () => {
    const constraint = start(compile({ regex: "ab?" }))
    expect(allowed(constraint)).not.toContain(small.end)
    constraint.accept("a".charCodeAt(0))
    expect(allowed(constraint)).toEqual(["b".charCodeAt(0), small.end])
    const longer = constraint.fork()
    longer.accept("b".charCodeAt(0))
    expect(longer.finished).toBe(true)
    expect(allowed(longer)).toEqual([small.end])
    expect(constraint.finished).toBe(false)
    constraint.accept(small.end)
    expect(constraint.finished).toBe(true)
  })

  it("has no end where ends are ignored, and takes a stop token of text as its text", () => {
    const grammar = compile({ regex: "ab?" })
    const [a, b] = ["a".charCodeAt(0), "b".charCodeAt(0)]
    const ends = { eosTokenIds: new Set([small.end]), stopTokenIds: new Set([b]), ignoreEos: true }
    const constraint = grammar.start(ends)
    constraint.accept(a)
    expect(allowed(constraint)).toEqual([b])
  })

  it("writes its own words and no more", () => {
    const constraint = start(compile({ choice: ["a"] }))
    const out = new Uint32Array(3 * constraint.words).fill(7)
    constraint.fillMask(out, constraint.words)
    expect([...out.subarray(0, constraint.words)].every((word) => word === 7)).toBe(true)
    expect([...out.subarray(2 * constraint.words)].every((word) => word === 7)).toBe(true)
  })
})
