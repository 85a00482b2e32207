import type { StepResult } from "../batch/step.ts"
import type { FinishReason } from "../request/sequence.ts"
import { finishReason, isEnd, stopReason } from "./endings.ts"
import { unfollow } from "./fork.ts"
import { insert, remove } from "./policy.ts"
import { dropSum, faultyRows } from "./pooled.ts"
import { endQuarantine, giveBack } from "./preempt.ts"
import type { SequenceEvent, StepPlan } from "./scheduler.ts"
import type { Entry, Part, SchedulerState, SubmittedStep } from "./state.ts"

/** Takes an entry out of every list; no later step names it. */
export const end = (state: SchedulerState, entry: Entry) => {
  const { sequence } = entry
  remove(
    sequence.status === "running" ? state.running : sequence.status === "parked" ? state.parked : state.waiting,
    entry
  )
  sequence.status = "finished"
  sequence.pending = 0
  state.entries.delete(sequence.id)
  unfollow(entry)
  giveBack(state, entry)
  dropSum(state, entry)
}

const faulty = (result: StepResult, from: number, to: number) => {
  for (let row = from; row < to; row++) if (result.faults[row] !== 0) return true
  return false
}

/** Makes the blocks adoptable whose tokens have all been computed by a step that came back. */
const registerBlocks = (state: SchedulerState, part: Part) => {
  const { entry, sequence } = part
  if (!state.pool.config.prefixCaching || state.config.pooler?.bidirectional === true || part.epoch !== entry.epoch)
    return
  const computed = part.start + part.tokens
  // Most parts of a decoding batch fill no block: say so before anything is called.
  if (Math.floor(computed / state.pool.config.blockSize) <= sequence.blocks.hashes.length) return
  state.pool.register(sequence.blocks, sequence.tokens, computed, sequence.cacheSalt)
}

type PromptRows = Pick<SequenceEvent, "promptRow" | "promptRows" | "promptStart">
const noPromptRows: PromptRows = { promptRow: 0, promptRows: 0, promptStart: 0 }

const nothing = { ...noPromptRows, silent: false, finishReason: undefined, stopReason: undefined }

/** Until its draw is settled it needs no compute: others may have its run slot. It keeps its blocks. */
const stepAside = (state: SchedulerState, entry: Entry) => {
  if (entry.sequence.status !== "running") return
  remove(state.running, entry)
  entry.sequence.status = "waiting"
  insert(state.waiting, entry)
}

/** What row `row` has drawn for an entry: the token becomes its last, and may end it. */
const drawn = (
  state: SchedulerState,
  entry: Entry,
  row: number,
  result: StepResult,
  fault: boolean,
  { promptRow, promptRows, promptStart }: PromptRows
): SequenceEvent => {
  const { sequence } = entry
  const token = fault ? undefined : result.tokens[row]!
  let reason: FinishReason | undefined
  let stopped: number | undefined
  if (sequence.chooses) stepAside(state, entry)
  else {
    sequence.pending--
    if (token !== undefined) {
      sequence.tokens.push(token)
      sequence.constraint?.accept(token)
      reason = finishReason(entry, token)
      if (reason === "stop") stopped = stopReason(entry, token)
    }
  }
  if (fault || reason !== undefined) end(state, entry)
  const silent = token !== undefined && reason === "stop" && isEnd(entry, token)
  // Hundreds a step: a literal, for spreading others into it costs ten times as much.
  return {
    sequence,
    token,
    row,
    promptRow,
    promptRows,
    promptStart,
    silent,
    finishReason: reason,
    stopReason: stopped,
    fault
  }
}

/** What a part has brought: one event for its sequence, if it is still there, and one for each of its forks. */
const eventsOf = (state: SchedulerState, part: Part, result: StepResult, events: Array<SequenceEvent>) => {
  const { entry, sequence, forks, draws } = part
  const own = part.rowStart + part.rows - forks.length
  if (sequence.status !== "finished") {
    const fault = faulty(result, part.rowStart, own)
    if (!fault) registerBlocks(state, part)
    const promptRows = draws ? own - 1 - part.rowStart : part.rows
    // The rows are the part's last prompt positions; a row's token is the one behind its position.
    const promptEnd = Math.min(part.start + part.tokens, sequence.promptLength - 1)
    const prompt = { promptRow: part.rowStart, promptRows, promptStart: promptEnd - promptRows + 1 }
    if (draws) events.push(drawn(state, entry, own - 1, result, fault, prompt))
    else if (part.rows > 0) {
      if (fault) end(state, entry)
      events.push({ ...nothing, ...prompt, sequence, token: undefined, row: own - 1, fault })
    }
  }
  forks.forEach((fork, i) => {
    if (fork.sequence.status !== "finished")
      events.push(drawn(state, fork, own + i, result, faulty(result, own + i, own + i + 1), noPromptRows))
  })
}

/** What a part brought a sequence that draws nothing; no event when there is nothing to say yet. */
const pooledEvents = (
  state: SchedulerState,
  part: Part,
  { totalPooled }: SubmittedStep,
  result: StepResult
): ReadonlyArray<SequenceEvent> => {
  const { entry, sequence, pooled } = part
  if (pooled === undefined) return []
  const fault = faultyRows(pooled, totalPooled, result)
  const done = part.start + part.tokens === sequence.promptLength
  if (!fault) registerBlocks(state, part)
  if (fault || done) end(state, entry)
  if (!fault && !done && pooled.row < 0 && pooled.eachRows === 0) return []
  const finishReason = done && !fault ? "stop" : undefined
  return [{ ...nothing, sequence, token: undefined, row: -1, finishReason, fault, pooled }]
}

const retire = (state: SchedulerState, plan: StepPlan, result: StepResult): SubmittedStep => {
  const step = state.submitted[0]
  if (step === undefined || step.step !== plan.step)
    throw new Error(`Step ${plan.step} came back; ${step === undefined ? "no step" : `step ${step.step}`} was awaited.`)
  if (result.tokens.length < step.totalRows)
    throw new Error(`Step ${plan.step} answers ${result.tokens.length} rows; ${step.totalRows} were asked for.`)
  if ((result.pool?.faults.length ?? 0) < step.totalPooled + step.totalEach)
    throw new Error(
      `Step ${plan.step} answers too few pooled rows; ${step.totalPooled + step.totalEach} were asked for.`
    )
  state.submitted.shift()
  return step
}

export const advanceStep = (
  state: SchedulerState,
  plan: StepPlan,
  result: StepResult
): ReadonlyArray<SequenceEvent> => {
  const step = retire(state, plan, result)
  const events: Array<SequenceEvent> = []
  for (const part of step.parts) {
    if (part.pooled === undefined) eventsOf(state, part, result, events)
    else if (part.sequence.status !== "finished") events.push(...pooledEvents(state, part, step, result))
  }
  endQuarantine(state, step.step)
  return events
}
