import type { StepInput, StepResult } from "../../src/domain/batch/step.ts"
import type { BlockPoolConfig } from "../../src/domain/kv/blockPool.ts"
import { makeBlockPool } from "../../src/domain/kv/makeBlockPool.ts"
import { makeScheduler } from "../../src/domain/schedule/makeScheduler.ts"
import type { Scheduler, SchedulerConfig, SequenceEvent, StepPlan } from "../../src/domain/schedule/scheduler.ts"
import { type FakeDeviceConfig, makeFakeDevice } from "./fakeDevice.ts"

export type DriveConfig = Partial<SchedulerConfig> & Partial<BlockPoolConfig> & Pick<FakeDeviceConfig, "faults">

export interface Submitted {
  readonly plan: StepPlan
  readonly input: StepInput
  readonly result: StepResult
}

const defaults = {
  maxNumBatchedTokens: 1024,
  maxNumSeqs: 16,
  maxModelLen: 1024,
  blockSize: 16,
  longPrefillTokenThreshold: 0,
  enableChunkedPrefill: true,
  policy: "fcfs" as const,
  blocks: 256,
  prefixCaching: true
}

export const vocabSize = 50

/** A scheduler on a fake device, driven by hand: `submit` and `retire`, with blocks checked after each. */
export const drive = (config: DriveConfig = {}) => {
  const all = { ...defaults, ...config }
  const scheduler: Scheduler = makeScheduler(all, makeBlockPool(all))
  const device = makeFakeDevice({ ...all, vocabSize })
  const queue: Array<Submitted> = []

  /** What the engine may rely on: nothing that a submitted step names is free. */
  const checkQuarantine = () => {
    const named = new Set<number>()
    for (const { input } of queue) for (const block of input.cacheGroups[0]!.blockTables) named.add(block)
    const { kvBlocksFree, kvBlocksTotal } = scheduler.counts()
    if (kvBlocksFree + named.size > kvBlocksTotal)
      throw new Error(`${kvBlocksFree} of ${kvBlocksTotal} blocks are free while submitted steps name ${named.size}`)
  }
  const check = () => {
    scheduler.check()
    checkQuarantine()
  }
  const submit = (): Submitted | undefined => {
    const next = scheduler.schedule()
    check()
    if (!next) return undefined
    const submitted = { ...next, result: device.step(next.input, next.plan) }
    queue.push(submitted)
    return submitted
  }
  const retire = (): ReadonlyArray<SequenceEvent> => {
    const { plan, result } = queue.shift()!
    const events = scheduler.advance(plan, result)
    check()
    return events
  }
  /** Steps, `depth` of them submitted at a time, until nothing runs. */
  const finish = (depth = 1, most = 1000) => {
    const events: Array<SequenceEvent> = []
    for (let i = 0; i < most; i++) {
      while (queue.length < depth && submit() !== undefined) {}
      if (queue.length === 0) return events
      events.push(...retire())
    }
    throw new Error(`Still running after ${most} steps`)
  }
  return { scheduler, queue, submit, retire, finish, check, config: all }
}

/** Tokens that each part of a step gets. */
export const shares = (submitted: Submitted | undefined) => submitted?.plan.parts.map(({ tokens }) => tokens)
