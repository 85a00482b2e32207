import { isRecord, type Rule, rulesOf, TokenizerFault, typeOf } from "./rule.ts"

/** One part of a template: a text, or special ids; `type` is the token type id of what it becomes. */
export type TemplateItem =
  | { readonly sequence: "A" | "B"; readonly type: number }
  | { readonly ids: ReadonlyArray<number>; readonly type: number }

/** How one text, and a pair of texts, are dressed in special tokens. */
export interface Template {
  readonly single: ReadonlyArray<TemplateItem>
  readonly pair: ReadonlyArray<TemplateItem>
}

const first: TemplateItem = { sequence: "A", type: 0 }
const second: TemplateItem = { sequence: "B", type: 1 }

/** No special tokens; the second text has type 1, as the reference has it without any template. */
export const bare: Template = { single: [first], pair: [first, second] }

/** Special tokens that the template adds to one text, or to a pair. */
export const addedTokens = (items: ReadonlyArray<TemplateItem>): number =>
  items.reduce((sum, item) => sum + ("ids" in item ? item.ids.length : 0), 0)

/** The template of a tokenizer.json's post-processor. */
export const templateOf = (rule: Rule | undefined): Template => {
  if (rule === undefined) return bare
  switch (typeOf(rule)) {
    case "ByteLevel":
      return bare
    case "BertProcessing":
      return bertTemplate(idOfPair(rule, "cls"), idOfPair(rule, "sep"))
    case "RobertaProcessing":
      return robertaTemplate(idOfPair(rule, "cls"), idOfPair(rule, "sep"))
    case "Sequence":
      return rulesOf(rule, "processors").reduce((inner, step) => around(templateOf(step), inner), bare)
    case "TemplateProcessing":
      return { single: itemsOf(rule, "single"), pair: itemsOf(rule, "pair") }
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

const bertTemplate = (cls: number, sep: number): Template => {
  const single: ReadonlyArray<TemplateItem> = [{ ids: [cls], type: 0 }, first, { ids: [sep], type: 0 }]
  return { single, pair: [...single, second, { ids: [sep], type: 1 }] }
}

/** `<s> A </s></s> B </s>`; RoBERTa has one token type. */
const robertaTemplate = (cls: number, sep: number): Template => {
  const end: TemplateItem = { ids: [sep], type: 0 }
  const single: ReadonlyArray<TemplateItem> = [{ ids: [cls], type: 0 }, first, end]
  return { single, pair: [...single, end, { sequence: "B", type: 0 }, end] }
}

/** The outer template over texts that the inner one has dressed. A pair's texts are dressed once, by whichever adds to them. */
const around = (outer: Template, inner: Template): Template => {
  if (inner === bare) return outer
  if (outer === bare) return inner
  const single = outer.single.flatMap((item) => ("sequence" in item ? inner.single : [item]))
  return { single, pair: addedTokens(outer.pair) > 0 ? outer.pair : inner.pair }
}

const itemsOf = (rule: Rule, key: "single" | "pair"): ReadonlyArray<TemplateItem> => {
  const items = rulesOf(rule, key).flatMap((item): ReadonlyArray<TemplateItem> => {
    if (isRecord(item.Sequence))
      return [{ sequence: item.Sequence.id === "B" ? "B" : "A", type: typeIdOf(item.Sequence) }]
    if (!isRecord(item.SpecialToken)) return []
    return [{ ids: idsOfSpecial(rule, item.SpecialToken.id), type: typeIdOf(item.SpecialToken) }]
  })
  return items.length === 0 ? bare[key] : items
}

const typeIdOf = (item: Rule): number => (typeof item.type_id === "number" ? item.type_id : 0)

const idsOfSpecial = (rule: Rule, name: unknown): ReadonlyArray<number> => {
  const tokens = isRecord(rule.special_tokens) ? rule.special_tokens : {}
  const token = typeof name === "string" ? tokens[name] : undefined
  const ids = isRecord(token) ? token.ids : undefined
  if (!Array.isArray(ids) || !ids.every((id) => typeof id === "number"))
    throw new TokenizerFault(`TemplateProcessing names ${JSON.stringify(name)}, which special_tokens does not define`)
  return ids
}
