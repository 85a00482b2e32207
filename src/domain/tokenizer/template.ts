import { isRecord, type Rule, rulesOf, TokenizerFault, typeOf } from "./rule.ts"

/** The special ids that stand before and after a single text. */
export interface Template {
  readonly before: ReadonlyArray<number>
  readonly after: ReadonlyArray<number>
}

const empty: Template = { before: [], after: [] }

/** The template of a tokenizer.json's post-processor, for one text. */
export const templateOf = (rule: Rule | undefined): Template => {
  if (rule === undefined) return empty
  switch (typeOf(rule)) {
    case "ByteLevel":
      return empty
    case "BertProcessing":
    case "RobertaProcessing":
      return { before: [idOfPair(rule, "cls")], after: [idOfPair(rule, "sep")] }
    case "Sequence":
      return rulesOf(rule, "processors").reduce<Template>((inner, step) => {
        const outer = templateOf(step)
        return { before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] }
      }, empty)
    case "TemplateProcessing":
      return singleTemplate(rule)
    default:
      throw new TokenizerFault(`the post-processor ${typeOf(rule)} is not known`)
  }
}

/** `["[CLS]", 2]` */
const idOfPair = (rule: Rule, key: string): number => {
  const pair = rule[key]
  const id: unknown = Array.isArray(pair) ? pair[1] : undefined
  if (typeof id !== "number") throw new TokenizerFault(`${typeOf(rule)} needs ${key} as [token, id]`)
  return id
}

const singleTemplate = (rule: Rule): Template => {
  const before: Array<number> = []
  const after: Array<number> = []
  let ids = before
  for (const item of rulesOf(rule, "single")) {
    if (isRecord(item.Sequence)) ids = after
    else if (isRecord(item.SpecialToken)) ids.push(...idsOfSpecial(rule, item.SpecialToken.id))
  }
  return { before, after }
}

const idsOfSpecial = (rule: Rule, name: unknown): ReadonlyArray<number> => {
  const tokens = isRecord(rule.special_tokens) ? rule.special_tokens : {}
  const token = typeof name === "string" ? tokens[name] : undefined
  const ids = isRecord(token) ? token.ids : undefined
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "number"))
    throw new TokenizerFault(`TemplateProcessing names ${JSON.stringify(name)}, which special_tokens does not define`)
  return ids
}
