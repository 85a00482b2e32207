import type { PoolResult, StepResult } from "../../../domain/batch/step.ts"
import { NumericalFault, type RunError } from "../../../domain/errors.ts"
import type { RawRows } from "../../../domain/pooling/resolvePooling.ts"
import type { Sequence } from "../../../domain/request/sequence.ts"
import type { PooledRows, Scheduler, SequenceEvent } from "../../../domain/schedule/scheduler.ts"

/** How a pooled text ends: with its rows, with an error, or called off. */
export type PoolEnd = RawRows | RunError | "aborted"

/** One text that is being computed for its rows. */
export interface PoolEntry {
  readonly sequence: Sequence
  readonly end: (end: PoolEnd) => void
  pooled: Float32Array | undefined
  readonly each: Array<Float32Array>
}

/** Every text that a pooling engine has admitted and not ended. Owned by one engine; all of it is synchronous. */
export class PoolTable {
  promptTokens = 0
  finishedRequests = 0
  private readonly bySequence = new Map<number, PoolEntry>()
  private readonly byId = new Map<string, PoolEntry>()

  constructor(
    private readonly scheduler: Scheduler,
    private readonly widths: { readonly pooled: number; readonly each: number },
    /** The loop may have work. */
    private readonly wakeLoop: () => void
  ) {}

  get size(): number {
    return this.bySequence.size
  }

  has(requestId: string): boolean {
    return this.byId.has(requestId)
  }

  add(sequence: Sequence, end: (end: PoolEnd) => void): PoolEntry {
    const entry: PoolEntry = { sequence, end, pooled: undefined, each: [] }
    this.scheduler.add(sequence)
    this.bySequence.set(sequence.id, entry)
    this.byId.set(sequence.requestId, entry)
    this.wakeLoop()
    return entry
  }

  /** Keeps what a retired step brought, and ends who is done. */
  apply(events: ReadonlyArray<SequenceEvent>, result: StepResult): void {
    for (const { sequence, pooled, fault, finishReason } of events) {
      const entry = this.bySequence.get(sequence.id)
      if (entry === undefined) continue
      if (fault) {
        const { requestId, promptLength } = sequence
        this.finish(entry, new NumericalFault({ requestId, position: promptLength - 1 }))
        continue
      }
      if (pooled !== undefined && result.pool !== undefined) this.keep(entry, pooled, result.pool)
      if (finishReason === undefined) continue
      this.promptTokens += sequence.promptLength
      this.finishedRequests++
      this.finish(entry, entry)
    }
  }

  /** Calls a text off; an id that is not there (any more) is no error. */
  abort(requestId: string): void {
    const entry = this.byId.get(requestId)
    if (entry !== undefined) this.finish(entry, "aborted")
  }

  failAll(error: RunError): void {
    for (const entry of [...this.bySequence.values()]) this.finish(entry, error)
  }

  /** Whoever waited has gone: nobody is told. */
  drop(entry: PoolEntry): void {
    if (this.bySequence.get(entry.sequence.id) === entry) this.remove(entry)
  }

  /** Rows are copied: the result's memory is the step's. One that comes again, after a preemption, has the same bits. */
  private keep(entry: PoolEntry, { row, eachRow, eachRows, eachIndex }: PooledRows, result: PoolResult): void {
    const { pooled, each } = this.widths
    if (row >= 0) entry.pooled = result.pooled.slice(row * pooled, (row + 1) * pooled)
    for (let i = 0; i < eachRows; i++)
      entry.each[eachIndex + i] = result.each.slice((eachRow + i) * each, (eachRow + i + 1) * each)
  }

  private finish(entry: PoolEntry, end: PoolEnd): void {
    this.remove(entry)
    entry.end(end)
  }

  private remove(entry: PoolEntry): void {
    this.bySequence.delete(entry.sequence.id)
    this.byId.delete(entry.sequence.requestId)
    this.scheduler.finish(entry.sequence)
    this.wakeLoop()
  }
}
