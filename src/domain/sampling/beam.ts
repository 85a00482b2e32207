import type { FinishReason } from "../request/sequence.ts"

/** How a beam search chooses, as vLLM does. */
export interface BeamRules {
  /** Beams that are kept. */
  readonly width: number
  readonly promptLength: number
  readonly lengthPenalty: number
  /** Any of these ends a beam and stays in its tokens; unless `ignoreEos`. */
  readonly eosTokenIds: ReadonlySet<number>
  readonly ignoreEos: boolean
}

/** A beam that goes on: its output so far. */
export interface Beam {
  readonly tokens: ReadonlyArray<number>
  readonly cumulativeLogprob: number
}

/** One way in which a beam may go on. */
export interface Candidate {
  readonly token: number
  readonly logprob: number
}

/** A beam of the next step: beam `parent` of this one, and a token. */
export interface Branch {
  readonly parent: number
  readonly token: number
  readonly cumulativeLogprob: number
  readonly score: number
}

/** A beam that has come to its end. */
export interface EndedBeam extends Beam {
  readonly score: number
  readonly finishReason: FinishReason
}

/** Cumulative logprob over length^penalty; prompt and output count, an end-of-sequence token at the end does not. */
export const beamScore = (
  { promptLength, lengthPenalty, eosTokenIds }: BeamRules,
  outputLength: number,
  lastToken: number | undefined,
  cumulativeLogprob: number
): number => {
  const eos = lastToken !== undefined && eosTokenIds.has(lastToken)
  return cumulativeLogprob / (promptLength + outputLength - (eos ? 1 : 0)) ** lengthPenalty
}

/** The greatest scores first; of equals the one that came first. */
const best = <A extends { readonly score: number }>(all: ReadonlyArray<A>, count: number): ReadonlyArray<A> =>
  [...all].sort((a, b) => b.score - a.score).slice(0, count)

/**
 * One step: each beam goes on by each of its candidates. Those that end join `ended`, of which the best `width` are kept;
 * of the others the best `width` are the next beams, over all beams together.
 */
export const stepBeams = (
  rules: BeamRules,
  beams: ReadonlyArray<Beam>,
  candidates: ReadonlyArray<ReadonlyArray<Candidate>>,
  ended: ReadonlyArray<EndedBeam>
): { readonly branches: ReadonlyArray<Branch>; readonly ended: ReadonlyArray<EndedBeam> } => {
  const branches: Array<Branch> = []
  const complete: Array<Branch> = []
  beams.forEach((beam, parent) => {
    for (const { token, logprob } of candidates[parent]!) {
      const cumulativeLogprob = beam.cumulativeLogprob + logprob
      const score = beamScore(rules, beam.tokens.length + 1, token, cumulativeLogprob)
      const ends = !rules.ignoreEos && rules.eosTokenIds.has(token)
      ;(ends ? complete : branches).push({ parent, token, cumulativeLogprob, score })
    }
  })
  // Tokens are copied for the few that may be returned only.
  const joined = best(complete, rules.width).map(
    ({ parent, token, ...rest }): EndedBeam => ({
      ...rest,
      tokens: [...beams[parent]!.tokens, token],
      finishReason: "stop"
    })
  )
  return { branches: best(branches, rules.width), ended: best([...ended, ...joined], rules.width) }
}

/** What the search returns: the best of those that ended and of the beams that are cut off now. */
export const finishBeams = (
  rules: BeamRules,
  beams: ReadonlyArray<Beam>,
  ended: ReadonlyArray<EndedBeam>,
  finishReason: FinishReason
): ReadonlyArray<EndedBeam> => {
  const cut = beams.map(({ tokens, cumulativeLogprob }): EndedBeam => {
    const score = beamScore(rules, tokens.length, tokens.at(-1), cumulativeLogprob)
    return { tokens, cumulativeLogprob, score, finishReason }
  })
  return best([...ended, ...cut], rules.width)
}
