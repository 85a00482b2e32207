import * as Either from "effect/Either"
import { InvalidRequest, PromptTooLong } from "../../../domain/errors.ts"
import type { PoolerSpec } from "../../../domain/pooling/poolerSpec.ts"
import type { PoolingInput } from "../../../domain/pooling/poolingParams.ts"
import type { PoolRequest } from "../../../domain/request/generateRequest.ts"
import { cut, type Truncation } from "../../../domain/tokenizer/truncate.ts"
import type { ServedModel } from "../../../services/Engine.ts"
import type { TokenizerInstance } from "../../../services/Tokenizer.ts"
import { checkPrompt, requireTokenizer } from "../admission.ts"

/** A text as the model sees it. */
export interface PoolPrompt {
  readonly ids: ReadonlyArray<number>
  /** Absent: all 0. */
  readonly typeIds?: ReadonlyArray<number>
}

export interface PoolPromptLimits {
  readonly served: ServedModel
  readonly spec: PoolerSpec
  readonly tokenizer: TokenizerInstance | undefined
}

type Given = Pick<PoolRequest, "prompt" | "promptTokenIds" | "pair">

const oneOfThem = (given: Given): InvalidRequest | undefined => {
  const names = (["prompt", "promptTokenIds", "pair"] as const).filter((name) => given[name] !== undefined)
  if (names.length === 1) return undefined
  return new InvalidRequest({
    field: "prompt",
    given: names.length === 0 ? "none of prompt, promptTokenIds and pair" : names.join(" and "),
    expected: "exactly one of prompt, promptTokenIds and pair",
    mend: names.length === 0 ? "Give a text, token ids, or two texts." : "Leave the others out."
  })
}

/** Tokens that a text is cut to: what the request says, else the encoder's own length; absent: it is not cut. */
const lengthOf = (
  wanted: number | undefined,
  { served, spec }: PoolPromptLimits
): number | undefined | InvalidRequest => {
  const { maxModelLen } = served
  const { maxLength } = spec.encoder
  const limit = Math.min(maxModelLen, maxLength ?? maxModelLen)
  if (wanted === undefined) return maxLength === undefined ? undefined : limit
  if (wanted === -1) return limit
  if (wanted <= maxModelLen) return wanted
  return new InvalidRequest({
    field: "truncatePromptTokens",
    given: String(wanted),
    expected: `at most ${maxModelLen}, which is maxModelLen`,
    mend: "Lower it, or give -1 for as many as the model takes."
  })
}

const encode = (
  { prompt, pair }: Given,
  maxLength: number | undefined,
  tokenizer: TokenizerInstance,
  spec: PoolerSpec
): PoolPrompt | InvalidRequest => {
  const own = (text: string) => (spec.encoder.lowercase ? text.toLowerCase() : text)
  const second = pair === undefined ? "" : own(pair[1])
  const special = tokenizer.specialTokens(second !== "")
  if (maxLength !== undefined && maxLength <= special)
    return new InvalidRequest({
      field: "truncatePromptTokens",
      given: String(maxLength),
      expected: `more than the ${special} special tokens that the tokenizer adds`,
      mend: "Raise it."
    })
  const side = tokenizer.truncationSide ?? "right"
  const truncation: Truncation | undefined =
    maxLength === undefined ? undefined : { maxLength, side, strategy: "longest_first" }
  const { ids, typeIds } = tokenizer.encoding(own(pair?.[0] ?? prompt!), {
    ...(second === "" ? {} : { pair: second }),
    ...(truncation === undefined ? {} : { truncation })
  })
  return { ids, typeIds }
}

const idsOf = (given: Given, params: PoolingInput, limits: PoolPromptLimits): PoolPrompt | InvalidRequest => {
  const { promptTokenIds } = given
  const wanted = params.truncatePromptTokens
  const maxLength = lengthOf(wanted, limits)
  if (maxLength instanceof InvalidRequest) return maxLength
  if (promptTokenIds !== undefined) {
    // Ids say themselves which of them are special: only a request's own wish cuts them.
    const side = limits.tokenizer?.truncationSide ?? "right"
    return { ids: wanted === undefined ? promptTokenIds : cut(promptTokenIds, maxLength!, side) }
  }
  const tokenizer = requireTokenizer(limits.tokenizer, given.pair === undefined ? "prompt" : "pair")
  return Either.isLeft(tokenizer) ? tokenizer.left : encode(given, maxLength, tokenizer.right, limits.spec)
}

/** The ids of a request's text, pair or ids, cut to size where that is wanted; all of them fit the model. */
export const poolPrompt = (
  given: Given,
  params: PoolingInput,
  limits: PoolPromptLimits
): PoolPrompt | InvalidRequest | PromptTooLong => {
  const fault = oneOfThem(given)
  if (fault !== undefined) return fault
  const prompt = idsOf(given, params, limits)
  if (prompt instanceof InvalidRequest) return prompt
  const { maxModelLen } = limits.served
  // There is no reply to leave room for.
  const problem = checkPrompt(prompt.ids, { ...limits.served, maxModelLen: Number.POSITIVE_INFINITY })
  if (problem !== undefined) return problem
  return prompt.ids.length > maxModelLen ? new PromptTooLong({ promptTokens: prompt.ids.length, maxModelLen }) : prompt
}
