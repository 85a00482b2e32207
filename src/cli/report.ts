import { printGraph } from "../domain/graph/print.ts"
import type { PoolerFacts } from "../domain/model/poolerFacts.ts"
import { arenaBytes, weightBytes } from "../domain/plan/footprint.ts"
import { printPlan } from "../domain/plan/print.ts"
import type { CheckpointTensors } from "../domain/weights/checkpoint.ts"
import type { PreparedModel } from "../services/ModelRunner.ts"

/** All that `inspect` found out; nothing of it has read a weight. */
export interface Inspection {
  readonly model: string
  readonly prepared: PreparedModel
  readonly device: { readonly description: string; readonly memory: number }
  readonly chatTemplate: boolean
}

export const sections = ["facts", "memory", "graph", "plan"] as const
export type Section = (typeof sections)[number]

const count = (value: number) => value.toLocaleString("en-US")
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

const table = (rows: ReadonlyArray<readonly [string, string]>) => {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join("\n")
}

/** Bytes of the tensors as the files hold them. */
const storedBytes = ({ tensors }: CheckpointTensors) => [...tensors.values()].reduce((sum, { bytes }) => sum + bytes, 0)

const poolerText = ({ task, pooling, pooledWidth, eachWidth }: PoolerFacts) => {
  const each = pooling === "ALL" || pooling === "STEP"
  return `${task}: ${pooling}, ${each ? eachWidth : pooledWidth} number(s) ${each ? "a token" : "a text"}`
}

const facts = ({ model, prepared, chatTemplate }: Inspection) => {
  const { facts, tensors } = prepared
  const stored = [...new Set([...tensors.tensors.values()].map(({ dtype }) => dtype))].sort().join(", ")
  return table([
    ["model", model],
    ["architecture", facts.architecture],
    ["parameters", count(facts.parameters)],
    ["stored as", `${stored} in ${tensors.files.length} file(s), ${megabytes(storedBytes(tensors))}`],
    ["runs in", facts.kvDtype === facts.dtype ? facts.dtype : `${facts.dtype}, KV cache ${facts.kvDtype}`],
    ["layers", count(facts.layers)],
    ["hidden size", count(facts.hiddenSize)],
    ["heads", `${facts.heads} of width ${facts.headDim}, ${facts.kvHeads} for keys and values`],
    ["vocabulary", count(facts.vocabSize)],
    ["context", `${count(facts.maxModelLen)} of ${count(facts.maxPositions)} tokens`],
    ["serves", facts.pooler === undefined ? "generation" : poolerText(facts.pooler)],
    ["end of text", facts.eosTokenIds.join(", ") || "none named by config.json"],
    ["chat template", chatTemplate ? "yes" : "no"]
  ])
}

const memory = ({ prepared, device }: Inspection) => {
  const { plan, facts, resolved } = prepared
  const { maxNumBatchedTokens, maxNumSeqs, blockSize } = resolved.scheduler
  const weights = weightBytes(plan)
  const arena = arenaBytes(plan, maxNumBatchedTokens)
  const tokens = resolved.blocks * blockSize
  return table([
    ["device", `${device.description}, ${megabytes(device.memory)} to use`],
    ["weights", megabytes(weights)],
    ["KV cache", `${megabytes(resolved.kvCacheBytes)}: ${count(resolved.blocks)} blocks of ${blockSize} tokens`],
    ["KV per token", `${count(facts.kvBytesPerToken)} bytes`],
    ["full-length sequences", `${count(Math.floor(tokens / facts.maxModelLen))} at once (maxNumSeqs ${maxNumSeqs})`],
    ["step buffers", `${megabytes(arena)} for ${count(maxNumBatchedTokens)} tokens a step`],
    ["together", megabytes(weights + resolved.kvCacheBytes + arena)]
  ])
}

const writers: Readonly<Record<Section, (inspection: Inspection) => string>> = {
  facts,
  memory,
  graph: ({ prepared }) => printGraph(prepared.graph).trimEnd(),
  plan: ({ prepared }) => printPlan(prepared.plan).trimEnd()
}

/** The sections asked for, each under its name. */
export const report = (inspection: Inspection, wanted: ReadonlyArray<Section> = sections): string =>
  `${sections
    .filter((section) => wanted.includes(section))
    .map((section) => `# ${section}\n${writers[section](inspection)}`)
    .join("\n\n")}\n`

/** Facts and memory for programs. */
export const reportJson = ({
  model,
  prepared: { facts, plan, tensors, resolved },
  device,
  chatTemplate
}: Inspection): string =>
  `${JSON.stringify({
    model,
    ...facts,
    chatTemplate,
    files: tensors.files,
    storedBytes: storedBytes(tensors),
    device: device.description,
    weightBytes: weightBytes(plan),
    kvCacheBytes: resolved.kvCacheBytes,
    kvBlocks: resolved.blocks,
    blockSize: resolved.scheduler.blockSize,
    maxNumSeqs: resolved.scheduler.maxNumSeqs,
    maxNumBatchedTokens: resolved.scheduler.maxNumBatchedTokens,
    arenaBytes: arenaBytes(plan, resolved.scheduler.maxNumBatchedTokens)
  })}\n`
