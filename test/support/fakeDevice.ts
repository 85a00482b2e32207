import type { StepInput, StepResult } from "../../src/domain/batch/step.ts"
import type { StepPlan } from "../../src/domain/schedule/scheduler.ts"

/** FNV-like; the state after a prefix, as attention over a true KV cache would depend on all of it. */
const extendHash = (state: number, token: number) => Math.imul(state ^ (token + 0x51ed27), 0x01000193) >>> 0
const start = 0x811c9dc5

/** The token that the fake model draws with a seed after a prefix whose state is `state`. */
export const drawToken = (state: number, vocabSize: number, seed = 0) => {
  let h = Math.imul(state ^ (state >>> 15) ^ seed, 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 13), 0x297a2d39)
  return ((h ^ (h >>> 16)) >>> 0) % vocabSize
}

/** What the fake model answers to a prompt, alone and without any cache. */
export const referenceTokens = (
  prompt: ReadonlyArray<number>,
  vocabSize: number,
  ends: (token: number, outputs: number) => boolean,
  seed = 0
) => {
  let state = prompt.reduce(extendHash, start)
  const outputs: Array<number> = []
  for (;;) {
    const token = drawToken(state, vocabSize, seed)
    outputs.push(token)
    if (ends(token, outputs.length)) return outputs
    state = extendHash(state, token)
  }
}

export interface FakeDeviceConfig {
  readonly blocks: number
  readonly blockSize: number
  readonly vocabSize: number
  /** Rows (step, row) whose logits are not finite. */
  readonly faults?: (step: number, row: number) => boolean
}

/**
 * A device whose cache remembers, by slot, the token and position written there and the state of the prefix, which it
 * reads from the slot of the position before: a wrong slot, block table, copy or link is an exception or a wrong token.
 */
export const makeFakeDevice = ({ blocks, blockSize, vocabSize, faults }: FakeDeviceConfig) => {
  const slotCount = (blocks + 1) * blockSize
  const memory = {
    token: new Int32Array(slotCount).fill(-1),
    position: new Int32Array(slotCount).fill(-1),
    state: new Float64Array(slotCount).fill(Number.NaN)
  }
  let drawn: Int32Array = new Int32Array(0)
  let lastStep = -1
  const fail = (input: StepInput, message: string): never => {
    throw new Error(`Step ${input.step}: ${message}`)
  }

  const copyBlocks = (copies: Int32Array) => {
    for (let i = 0; i < copies.length; i += 2)
      for (const array of Object.values(memory))
        array.copyWithin(copies[i + 1]! * blockSize, copies[i]! * blockSize, (copies[i]! + 1) * blockSize)
  }
  const slotOf = (input: StepInput, s: number, position: number): number => {
    const group = input.cacheGroups[0]!
    const at = group.blockTableStarts[s]! + Math.floor(position / blockSize)
    if (at >= group.blockTableStarts[s + 1]!) fail(input, `sequence ${s} has no block for position ${position}`)
    const block = group.blockTables[at]!
    if (!(block >= 1 && block <= blocks)) fail(input, `block ${block} is not one of the device's`)
    return block * blockSize + (position % blockSize)
  }
  const write = (input: StepInput, s: number, t: number, written: Set<number>) => {
    const position = input.positions[t]!
    const slot = slotOf(input, s, position)
    if (slot !== input.cacheGroups[0]!.slots[t]) fail(input, `token ${t} is written beside its block table`)
    if (written.has(slot)) fail(input, `slot ${slot} is written twice`)
    written.add(slot)
    const given = input.tokens[t]!
    const token = given < 0 ? drawn[-1 - given]! : given
    if (!(token >= 0)) fail(input, `token ${t} is ${given}, and no row of the step before`)
    if (given < 0 && lastStep !== input.step - 1) fail(input, "there is no step before to take a token from")
    const before = position === 0 ? start : memory.state[slotOf(input, s, position - 1)]!
    memory.token[slot] = token
    memory.position[slot] = position
    memory.state[slot] = extendHash(before, token)
  }
  /** Every slot that attention reads holds this sequence's own token of that position. */
  const verify = (input: StepInput, s: number, tokens: ReadonlyArray<number> | undefined) => {
    let state = start
    for (let position = 0; position < input.contextLengths[s]!; position++) {
      const slot = slotOf(input, s, position)
      const token = memory.token[slot]!
      if (memory.position[slot] !== position) fail(input, `sequence ${s} reads another position at ${position}`)
      if (tokens && position < tokens.length && tokens[position] !== token)
        fail(input, `sequence ${s} reads token ${token} at position ${position}, its own is ${tokens[position]}`)
      state = extendHash(state, token)
      if (memory.state[slot] !== state) fail(input, `sequence ${s} reads a cache made of another prefix at ${position}`)
    }
  }
  const answer = (input: StepInput): StepResult => {
    const R = input.rows.index.length
    const tokens = new Int32Array(R)
    const flags = new Uint8Array(R)
    for (let row = 0; row < R; row++) {
      const state = memory.state[input.cacheGroups[0]!.slots[input.rows.index[row]!]!]!
      const target = input.rows.target[row]!
      tokens[row] = target >= 0 ? target : drawToken(state, vocabSize, input.rows.seed[2 * row])
      flags[row] = faults?.(input.step, row) ? 1 : 0
    }
    const zeros = { logprobs: new Float32Array(R), ranks: new Int32Array(R), topLogprobs: new Float32Array(0) }
    return { tokens, faults: flags, top: 0, topTokens: new Int32Array(0), elapsed: 0, ...zeros }
  }

  return {
    /** Runs a step. With its plan, the tokens that the scheduler knows are compared too. */
    step: (input: StepInput, plan?: StepPlan): StepResult => {
      if (input.step !== lastStep + 1) fail(input, `step ${lastStep + 1} was expected`)
      const sequences = input.contextLengths.length
      if (input.sequenceStarts[sequences] !== input.tokens.length) fail(input, "the sequences do not cover the tokens")
      copyBlocks(input.copies)
      const written = new Set<number>()
      for (let s = 0; s < sequences; s++) {
        for (let t = input.sequenceStarts[s]!; t < input.sequenceStarts[s + 1]!; t++) write(input, s, t, written)
        const last = input.positions[input.sequenceStarts[s + 1]! - 1]!
        if (last + 1 !== input.contextLengths[s]) fail(input, `sequence ${s} ends at ${last}, not at its context's end`)
      }
      // After all writes: a slot that a second sequence has overwritten shows.
      for (let s = 0; s < sequences; s++) verify(input, s, plan?.parts[s]?.sequence.tokens)
      const result = answer(input)
      drawn = result.tokens
      lastStep = input.step
      return result
    }
  }
}

export type FakeDevice = ReturnType<typeof makeFakeDevice>
