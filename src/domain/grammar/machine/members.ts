import { type Ranges, union } from "../charset.ts"
import type { Members } from "../expr.ts"
import type { Builder, Draft, RuleDraft } from "./build.ts"

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const space = 0x20

/** What stands in a key: no escapes, so that there is one way to write it. */
export const keyChars: Ranges = union([
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0x10ffff]
])

const byte = (from: Draft, value: number, to: Draft, does?: "seal") =>
  from.edges.push({ low: value, high: value, to, ...(does && { does }) })

/** `"key": value` from `open` on; comes back to `after`. Answers its nodes, always in the same order. */
const drawMember = (builder: Builder, rule: RuleDraft, open: Draft, after: Draft, value: string, track: boolean) => {
  const first = rule.nodes.length
  const [start, key, end, before] = [0, 1, 2, 3].map(() => builder.node(rule.nodes)) as [Draft, Draft, Draft, Draft]
  byte(open, quote, start)
  for (const from of [start, key]) builder.chars(rule, keyChars, from, key, track ? "collect" : undefined)
  byte(key, quote, end, track ? "seal" : undefined)
  byte(end, colon, before)
  const spaced = builder.node(rule.nodes)
  byte(before, space, spaced)
  for (const from of [before, spaced]) from.calls.push({ rule: value, back: after })
  return rule.nodes.slice(first)
}

/**
 * The rule of an object's members. Beside its own nodes, which know the keys, it has a twin of each that knows none: the tokens
 * that a twin allows are found out once, and those that would repeat a key are taken from them. A twin goes through one key at
 * most: a token that writes two members is not offered, the tokens that it could be made of are.
 */
export const drawMembers = (builder: Builder, name: string, { taken, value }: Members): void => {
  const rule = builder.open(name, { taken })
  const node = () => builder.node(rule.nodes)
  const [after, next, twinOpen, twinAfter, twinNext, twinEnd] = [node(), node(), node(), node(), node(), node()]
  const own = [rule.entry, after, next, ...drawMember(builder, rule, rule.entry, after, value, true)]
  const twins = [twinOpen, twinAfter, twinNext, ...drawMember(builder, rule, twinOpen, twinEnd, value, false)]
  own.forEach((one, i) => {
    one.twin = twins[i]!
  })
  for (const [at, following, open] of [
    [after, next, rule.entry],
    [twinAfter, twinNext, twinOpen]
  ] as const) {
    at.empty.push(rule.exit)
    byte(at, comma, following)
    byte(following, space, open)
    following.empty.push(open)
  }
  twinEnd.empty.push(rule.exit)
}
