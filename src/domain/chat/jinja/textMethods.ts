import { type Native, takes } from "./arguments.ts"
import { formatFields } from "./formatFields.ts"
import { find, partition, split } from "./splitText.ts"
import { type TextMethod, textArgument } from "./textArgument.ts"
import { capitalize, joinTexts, pad, replaceText, title } from "./textShape.ts"
import { numberOf, Tuple, type Value } from "./value.ts"
import { charsOf, splitLines, stripBoth, stripEnd, stripStart } from "./whitespace.ts"

/** A method without arguments. */
const plain = (name: string, body: (text: string) => Value): TextMethod => [
  name,
  takes<string>(name, [], (run, text) => {
    run.spendOn(text.length)
    const value = body(text)
    return value
  })
]

const stripper = (name: string, strip: (text: string, set?: string) => string): TextMethod => [
  name,
  takes<string>(name, ["chars"], (run, text, [chars = null]) => {
    run.spendOn(text.length)
    return strip(text, chars === null ? undefined : textArgument(run, name, chars))
  })
]

/** `startswith` and `endswith` take one text or a tuple of them. */
const tester = (name: "startsWith" | "endsWith"): TextMethod => [
  name.toLowerCase(),
  takes<string>(name.toLowerCase(), ["prefix"], (run, text, [given]) => {
    const options = given instanceof Tuple ? given : [given]
    return Array.from(options).some((option) => text[name](textArgument(run, name.toLowerCase(), option)))
  })
]

const replace: TextMethod = [
  "replace",
  takes<string>("replace", ["old", "new", "count"], (run, text, [old, by, count = -1]) =>
    replaceText(run, text, textArgument(run, "replace", old), textArgument(run, "replace", by), numberOf(count) ?? -1)
  )
]

const cased = (text: string) => text.toLowerCase() !== text.toUpperCase()

const padder = (name: "ljust" | "rjust" | "center" | "zfill"): TextMethod => [
  name,
  takes<string>(name, ["width", "fillchar"], (run, text, [width = 0, fill = " "]) =>
    pad(run, text, name, numberOf(width) ?? 0, name === "zfill" ? "0" : textArgument(run, name, fill))
  )
]

const all = (pattern: RegExp) => (text: string) => pattern.test(text)

const edge = (name: "removeprefix" | "removesuffix"): TextMethod => [
  name,
  takes<string>(name, ["part"], (run, text, [given]) => {
    const part = textArgument(run, name, given)
    if (name === "removeprefix") return text.startsWith(part) ? text.slice(part.length) : text
    return part !== "" && text.endsWith(part) ? text.slice(0, -part.length) : text
  })
]

/** Methods of a str. */
export const textMethods: ReadonlyMap<string, Native<string>> = new Map<string, Native<string>>([
  plain("upper", (text) => text.toUpperCase()),
  plain("lower", (text) => text.toLowerCase()),
  plain("casefold", (text) => text.toLowerCase()),
  plain("title", title),
  plain("capitalize", capitalize),
  plain("swapcase", (text) =>
    text.replace(/\p{L}/gu, (char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase()))
  ),
  plain("splitlines", splitLines),
  plain("isdigit", all(/^\p{Nd}+$/u)),
  plain("isnumeric", all(/^\p{N}+$/u)),
  plain("isdecimal", all(/^\p{Nd}+$/u)),
  plain("isalpha", all(/^\p{L}+$/u)),
  plain("isalnum", all(/^[\p{L}\p{N}]+$/u)),
  plain("isspace", (text) => text !== "" && stripBoth(text) === ""),
  plain("isupper", (text) => cased(text) && text === text.toUpperCase()),
  plain("islower", (text) => cased(text) && text === text.toLowerCase()),
  stripper("strip", stripBoth),
  stripper("lstrip", stripStart),
  stripper("rstrip", stripEnd),
  tester("startsWith"),
  tester("endsWith"),
  split("split"),
  split("rsplit"),
  replace,
  find("find", (text, part) => text.indexOf(part)),
  find("index", (text, part) => text.indexOf(part)),
  find("rfind", (text, part) => text.lastIndexOf(part)),
  partition("partition", (text, part) => text.indexOf(part)),
  partition("rpartition", (text, part) => text.lastIndexOf(part)),
  ...(["ljust", "rjust", "center", "zfill"] as const).map(padder),
  edge("removeprefix"),
  edge("removesuffix"),
  [
    "count",
    takes("count", ["sub"], (run, text, [sub]) => run.text(text).split(textArgument(run, "count", sub)).length - 1)
  ],
  [
    "join",
    takes("join", ["items"], (run, text, [items]) => {
      const list = Array.isArray(items)
        ? items
        : typeof items === "string"
          ? charsOf(items)
          : run.fail("join expects a list")
      return joinTexts(
        run,
        Array.from(list, (item) => textArgument(run, "join", item)),
        text
      )
    })
  ],
  ["format", (run, text, given) => formatFields(run, text, given)]
])
