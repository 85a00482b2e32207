import { readFileSync } from "node:fs"
import { join } from "node:path"
import { median, round } from "../lib/numbers.mjs"
import { needDist, root } from "../lib/places.mjs"

const vocabSize = 128_000
const end = 0

/** A seeded generator: mulberry32. */
const generator = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

/** A vocabulary of a large model's size: Brook's own tokens, words of several scripts, and 1,500 that bear quotes. */
const makeVocabulary = async () => {
  const { bytesOfToken } = await import("../../../dist/domain/tokenizer/bytes.js")
  const { model, added_tokens } = JSON.parse(readFileSync(join(root, "models", "brook", "tokenizer.json"), "utf8"))
  const special = new Set(added_tokens.map(({ content }) => content))
  const own = Object.keys(model.vocab).filter((token) => !special.has(token))
  const tokens = new Set(own.map((token) => Buffer.from(bytesOfToken(token)).toString("latin1")))
  const random = generator(1)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const syllables = "a e i o u an er in on re th st al or en it is ar le ti ing ion ed es tr pl qu é ü 日 本 к о".split(
    " "
  )
  const words = vocabSize - 1500
  while (tokens.size < vocabSize) {
    const word = Array.from({ length: 2 + Math.floor(random() * 4) }, () => pick(syllables)).join("")
    const quoted = pick(['"', ' "', '("']) + word.slice(0, 5)
    const closing = pick([".", "", "!", "s", word.slice(0, 3)]) + pick(['"', '",', '":', '"}', '" '])
    const text = tokens.size < words ? pick(["", " ", " ", "_"]) + word : pick([quoted, closing])
    tokens.add(Buffer.from(text, "utf8").toString("latin1"))
  }
  return [...tokens].map((token) => Buffer.from(token, "latin1"))
}

const schema = {
  type: "object",
  properties: {
    name: { type: "string" },
    email: { type: "string", format: "email" },
    age: { type: "integer", minimum: 0, maximum: 150 },
    tags: { type: "array", items: { enum: ["a", "b", "c"] }, maxItems: 5 },
    bio: { type: "string", maxLength: 400 },
    friends: { type: "array", items: { type: "object", properties: { name: { type: "string" } }, required: ["name"] } }
  },
  required: ["name", "email", "age", "tags", "bio", "friends"]
}

const workloads = {
  schema: { json: schema },
  object: { jsonObject: true },
  regex: { regex: "(\\w+ ){3,20}\\d{4}-\\d{2}-\\d{2}" },
  ebnf: { grammar: 'root ::= item ("," " "? item)*\nitem ::= "\\"" [^"\\\\]* "\\"" | [0-9]+ | "[" root "]"' }
}

const now = () => Number(process.hrtime.bigint()) / 1000

const finish = (work) => {
  for (;;) {
    const piece = work.next()
    if (piece.done) return piece.value
  }
}

/** Mask and application, microseconds a token, over one reply of random tokens; the drawing between them is not counted. */
const reply = (grammar, seed, most) => {
  const random = generator(seed)
  const constraint = grammar.start({ eosTokenIds: new Set([end]), stopTokenIds: new Set(), ignoreEos: false })
  const mask = new Uint32Array(constraint.words)
  let [spent, tokens, worst] = [0, 0, 0]
  while (tokens < most && !constraint.finished) {
    const before = now()
    constraint.fillMask(mask, 0)
    const filled = now()
    let id = Math.floor(random() * 32 * mask.length)
    while (((mask[id >>> 5] >>> (id & 31)) & 1) === 0) id = (id + 1) % (32 * mask.length)
    const drawn = now()
    constraint.accept(id)
    const cost = filled - before + now() - drawn
    spent += cost
    worst = Math.max(worst, cost)
    tokens++
  }
  return { spent, tokens, worst }
}

/** Ours, on a vocabulary of 128,000: compiling, then what each token costs in the first replies and in later ones. */
export const grammar = async ({ rounds }) => {
  needDist("domain", "grammar", "compile.js")
  const { compileGrammar } = await import("../../../dist/domain/grammar/compile.js")
  const { makeTokenTree } = await import("../../../dist/domain/grammar/vocabulary.js")
  const vocabulary = await makeVocabulary()
  const start = now()
  const tree = finish(makeTokenTree(vocabSize, (id) => (id === end ? undefined : vocabulary[id])))
  const figures = { treeMs: round((now() - start) / 1000) }
  for (const [name, source] of Object.entries(workloads)) {
    const all = Array.from({ length: rounds }, () => {
      // Of a tokenizer's first grammar: nothing is known yet of the rules that all share.
      const shared = new Map()
      const before = now()
      const made = finish(compileGrammar(source, tree, shared))
      const compile = (now() - before) / 1000
      const again = now()
      finish(compileGrammar(source, tree, shared))
      const warm = (now() - again) / 1000
      const runs = Array.from({ length: 40 }, (_, seed) => reply(made, seed, 200))
      const perToken = (some) =>
        some.reduce((sum, run) => sum + run.spent, 0) / some.reduce((sum, run) => sum + run.tokens, 0)
      const worst = Math.max(...runs.map((run) => run.worst))
      return { compile, warm, first: perToken(runs.slice(0, 4)), later: perToken(runs.slice(4)), worst }
    })
    const of = (key) => round(median(all.map((one) => one[key])))
    figures[`${name}CompileMs`] = of("compile")
    figures[`${name}AgainMs`] = of("warm")
    figures[`${name}FirstUs`] = of("first")
    figures[`${name}LaterUs`] = of("later")
    figures[`${name}WorstUs`] = of("worst")
  }
  return {
    workload:
      "masks and application over 128,000 tokens, Brook's and made ones, drawn at random; first 4 replies, and 36 later ones",
    figures,
    goals: { schemaFirstUs: "<= 50", schemaLaterUs: "<= 50", objectLaterUs: "<= 50" }
  }
}
