import { everything, negate, type Ranges, union } from "./charset.ts"
import { alt, chars, type Expr, type Grammar, optional, ref, repeat, seq, star, text } from "./expr.ts"
import { GrammarFault } from "./fault.ts"
import { refsOf } from "./prune.ts"

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", "0": "\0" }

/** Reads GBNF, the notation of llama.cpp and XGrammar: `root ::= "a" ("b" | [c-e])* rule{2,3}`, comments behind #. */
class EbnfReader {
  private at = 0
  private readonly rules = new Map<string, Expr>()

  constructor(private readonly source: string) {}

  read(): Grammar {
    this.skip(true)
    while (this.at < this.source.length) this.rule()
    if (!this.rules.has("root")) throw this.fault("no rule root", "Begin with `root ::= ...`.")
    for (const [name, expr] of this.rules)
      for (const used of refsOf(expr))
        if (!this.rules.has(used)) throw this.fault(`the rule ${used}, which ${name} uses`, `Add \`${used} ::= ...\`.`)
    return { rules: this.rules, root: "root" }
  }

  private rule() {
    const name = this.match(/[A-Za-z_][\w.-]*/y)
    if (name === undefined) throw this.fault("no name of a rule", "A rule is `name ::= ...`.")
    this.skip(false)
    if (this.match(/::=/y) === undefined) throw this.fault(`no ::= after ${name}`, "A rule is `name ::= ...`.")
    if (this.rules.has(name)) throw this.fault(`a second rule ${name}`, "Join them with |.")
    this.skip(true)
    this.rules.set(name, this.choice(0))
    if (this.at < this.source.length && !this.atRule())
      throw this.fault(JSON.stringify(this.source[this.at]), "Quote what stands for itself.")
  }

  private choice(depth: number): Expr {
    if (depth > 200) throw this.fault("groups nested deeper than 200", "Make rules of them.")
    const branches = [this.sequence(depth)]
    while (this.match(/\|/y) !== undefined) {
      this.skip(true)
      branches.push(this.sequence(depth))
    }
    return alt(...branches)
  }

  private sequence(depth: number): Expr {
    const items: Array<Expr> = []
    for (;;) {
      const atom = this.atom(depth)
      if (atom === undefined) return seq(...items)
      items.push(this.quantified(atom))
      this.skip(true)
    }
  }

  private quantified(atom: Expr): Expr {
    let made = atom
    for (;;) {
      const mark = this.match(/[*+?]|\{\s*\d{0,6}\s*(?:,\s*\d{0,6}\s*)?\}/y)
      if (mark === undefined) return made
      if (mark === "*") made = star(made)
      else if (mark === "?") made = optional(made)
      else if (mark === "+") made = repeat(made, 1, Number.POSITIVE_INFINITY)
      else made = this.counted(made, mark.slice(1, -1).split(","))
    }
  }

  private counted(atom: Expr, [least = "", most]: ReadonlyArray<string>): Expr {
    const min = Number(least)
    const max = most === undefined ? min : most.trim() === "" ? Number.POSITIVE_INFINITY : Number(most)
    if (max < min || (most === undefined && least.trim() === ""))
      throw this.fault(
        `the bounds {${least}${most === undefined ? "" : `,${most}`}}`,
        "Write {m}, {m,} or {m,n}, m up to n."
      )
    return repeat(atom, min, max)
  }

  /** Undefined at the end of a sequence: what follows is |, a closing bracket, the next rule or the end. */
  private atom(depth: number): Expr | undefined {
    const literal = this.match(/"(?:[^"\\\n]|\\[^\n])*"/y)
    if (literal !== undefined) return text(this.literalText(literal))
    if (this.source[this.at] === "[") return chars(this.charClass())
    if (this.match(/\(/y) !== undefined) {
      this.skip(true)
      const inner = this.choice(depth + 1)
      if (this.match(/\)/y) === undefined) throw this.fault("a group without its end", "Close it with ).")
      return inner
    }
    if (this.match(/\./y) !== undefined) return chars(everything)
    if (this.atRule()) return undefined
    const name = this.match(/[A-Za-z_][\w.-]*/y)
    if (name !== undefined) return ref(name)
    const next = this.source[this.at]
    if (next === undefined || next === "|" || next === ")") return undefined
    throw this.fault(JSON.stringify(next), "A part is a literal in quotes, a class, a group, . or the name of a rule.")
  }

  private literalText(quoted: string): string {
    return quoted.slice(1, -1).replace(escapePattern, (whole) => this.escaped(whole))
  }

  private escaped(whole: string): string {
    const code = /^\\(?:x(..)|u(....)|U(........)|u\{(.+)\})$/.exec(whole)
    if (code !== null) return this.character(code[1] ?? code[2] ?? code[3] ?? code[4]!)
    const char = whole[1]!
    if (Object.hasOwn(escapes, char)) return escapes[char]!
    if (/[A-Za-z0-9]/.test(char))
      throw this.fault(`the escape ${whole}`, "Known are \\n \\r \\t \\xHH \\uHHHH \\UHHHHHHHH.")
    return char
  }

  private character(hex: string): string {
    const code = Number.parseInt(hex, 16)
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
      throw this.fault(`the code point ${hex}`, "Write a character that can stand in UTF-8.")
    return String.fromCodePoint(code)
  }

  private charClass(): Ranges {
    const found = this.match(/\[(?:[^\]\\\n]|\\[^\n])*\]/y)
    if (found === undefined) throw this.fault("a class without its end", "Close it with ].")
    const inverted = found[1] === "^"
    const body = found.slice(inverted ? 2 : 1, -1)
    const members = [...body.matchAll(new RegExp(`${escapePattern.source}|[\\s\\S]`, "gu"))].map(([char]) => ({
      char: char.startsWith("\\") ? this.escaped(char) : char,
      dash: char === "-"
    }))
    const out: Array<[number, number]> = []
    for (let i = 0; i < members.length; i++) {
      const first = members[i]!.char.codePointAt(0)!
      const ranged = members[i + 1]?.dash === true && i + 2 < members.length
      const last = ranged ? members[i + 2]!.char.codePointAt(0)! : first
      if (last < first) throw this.fault(`a range out of order in ${found}`, "Turn it round.")
      out.push([first, last])
      if (ranged) i += 2
    }
    return inverted ? negate(union(out)) : union(out)
  }

  /** Whether the next rule begins here. */
  private atRule(): boolean {
    ruleStart.lastIndex = this.at
    return ruleStart.test(this.source)
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.source)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  private skip(lines: boolean) {
    this.match(lines ? /(?:\s|#[^\n]*)*/y : /[ \t]*/y)
  }

  private fault(given: string, mend: string): GrammarFault {
    const before = this.source.slice(0, this.at).split("\n")
    const place = `line ${before.length}, column ${before.at(-1)!.length + 1}`
    return new GrammarFault("", `${given} (${place})`, "an EBNF grammar", mend)
  }
}

const ruleStart = /[A-Za-z_][\w.-]*[ \t]*::=/y
const escapePattern = /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|u\{[0-9a-fA-F]{1,6}\}|[\s\S])/gu

export const parseEbnf = (source: string): Grammar => new EbnfReader(source).read()
