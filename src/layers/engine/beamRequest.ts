import type { StepResult } from "../../domain/batch/step.ts"
import { NumericalFault, type RunError } from "../../domain/errors.ts"
import type { FinishReason, Sequence } from "../../domain/request/sequence.ts"
import { type BeamRules, type Candidate, type EndedBeam, finishBeams, stepBeams } from "../../domain/sampling/beam.ts"
import type { SequenceEvent } from "../../domain/schedule/scheduler.ts"
import type { Request, RequestTable } from "./requestTable.ts"

export interface BeamRequestOptions {
  readonly requestId: string
  readonly deadline: number
  readonly rules: BeamRules
  /** Output tokens at which the beams that are left are cut off. */
  readonly maxTokens: number
  /** Sequence ids for as many beams as may live at once. */
  readonly ids: ReadonlyArray<number>
  /** A sequence of these tokens that chooses. */
  readonly makeSequence: (id: number, tokens: ReadonlyArray<number>) => Sequence
  readonly table: RequestTable
  readonly done: (result: ReadonlyArray<EndedBeam> | RunError) => void
}

/** A beam whose tokens a sequence is computing. */
interface Live {
  readonly sequence: Sequence
  readonly cumulativeLogprob: number
  /** What the present step says of it; undefined while that is awaited. */
  candidates: ReadonlyArray<Candidate> | undefined
}

/**
 * One beam search: a sequence for each beam, over shared blocks. Each step waits for all beams; then those that go on in
 * several ways are forked and those that nobody follows end, so that nothing is ever computed twice.
 */
export class BeamRequest implements Request {
  readonly requestId: string
  readonly deadline: number
  parkedAt = Number.POSITIVE_INFINITY
  private live: ReadonlyArray<Live>
  private ended: ReadonlyArray<EndedBeam> = []
  private prompted = false

  constructor(
    private readonly options: BeamRequestOptions,
    prompt: ReadonlyArray<number>
  ) {
    this.requestId = options.requestId
    this.deadline = options.deadline
    const sequence = options.makeSequence(options.ids[0]!, prompt)
    this.live = [{ sequence, cumulativeLogprob: 0, candidates: undefined }]
  }

  get sequences(): ReadonlyArray<Sequence> {
    return this.live.map(({ sequence }) => sequence)
  }

  hear(event: SequenceEvent, result: StepResult): void {
    const { table } = this.options
    if (event.fault) {
      const position = event.sequence.tokens.length - 1
      table.fail(this, new NumericalFault({ requestId: this.requestId, position }))
      return
    }
    if (event.token === undefined) return
    const beam = this.live.find(({ sequence }) => sequence === event.sequence)!
    beam.candidates = candidatesOf(result, event.row)
    if (!this.prompted) {
      this.prompted = true
      table.promptTokens += event.sequence.promptLength
    }
    if (this.live.every(({ candidates }) => candidates !== undefined)) this.choose()
  }

  abort(): void {
    this.finish(this.beams(), "abort")
  }

  fail(error: RunError): void {
    this.options.done(error)
  }

  private beams() {
    return this.live.map(({ sequence: { tokens, promptLength }, cumulativeLogprob }) => ({
      tokens: tokens.slice(promptLength),
      cumulativeLogprob
    }))
  }

  private choose(): void {
    const { rules, maxTokens, table } = this.options
    const beams = this.beams()
    const candidates = this.live.map((beam) => beam.candidates!)
    const { branches, ended } = stepBeams(rules, beams, candidates, this.ended)
    this.ended = ended
    table.generationTokens += this.live.length
    const last = beams[0]!.tokens.length + 1 >= maxTokens
    if (!last && branches.length > 0) {
      this.goOn(branches)
      return
    }
    const cut = branches.map(({ parent, token, cumulativeLogprob }) => ({
      tokens: [...beams[parent]!.tokens, token],
      cumulativeLogprob
    }))
    this.finish(cut, "length")
  }

  /** Ends the beams that nobody follows, forks those that several do, and gives each its token. */
  private goOn(branches: ReturnType<typeof stepBeams>["branches"]): void {
    const { table, ids, makeSequence } = this.options
    const parents = this.live
    const followed = new Set(branches.map(({ parent }) => parent))
    parents.forEach(({ sequence }, at) => {
      if (!followed.has(at)) table.end(sequence)
    })
    const taken = new Set(parents.filter((_, at) => followed.has(at)).map(({ sequence }) => sequence.id))
    const free = ids.filter((id) => !taken.has(id))
    const heirs = new Set<number>()
    this.live = branches.map(({ parent, cumulativeLogprob }) => {
      const from = parents[parent]!.sequence
      // The first to follow takes its parent's place; forks are made before any token is given.
      if (!heirs.has(parent)) {
        heirs.add(parent)
        return { sequence: from, cumulativeLogprob, candidates: undefined }
      }
      const sequence = makeSequence(free.shift()!, from.tokens)
      table.fork(this, from, sequence)
      return { sequence, cumulativeLogprob, candidates: undefined }
    })
    this.live.forEach(({ sequence }, at) => {
      table.settle(sequence, branches[at]!.token)
    })
  }

  private finish(beams: Parameters<typeof finishBeams>[1], reason: FinishReason): void {
    const { table, rules, done } = this.options
    for (const { sequence } of this.live) table.end(sequence)
    table.finished(this)
    done(finishBeams(rules, beams, this.ended, reason))
  }
}

/** What a row says may follow: the drawn token, then the best ones in their order, none twice. */
const candidatesOf = (result: StepResult, row: number): ReadonlyArray<Candidate> => {
  const own = result.tokens[row]!
  const candidates = [{ token: own, logprob: result.logprobs[row]! }]
  for (let column = row * result.top; column < (row + 1) * result.top; column++) {
    const token = result.topTokens[column]!
    if (token >= 0 && token !== own) candidates.push({ token, logprob: result.topLogprobs[column]! })
  }
  return candidates
}
