import type { ChatDelta, CompletionOutput, GenerationDelta, ToolCall } from "../request/outputs.ts"
import type { Piece } from "./pieces.ts"
import type { ReplyScanner } from "./reading.ts"

/** Makes an id that no other call has. */
export type NewCallId = () => string

interface Slot {
  readonly scanner: ReplyScanner
  /** Of the call that is being written. */
  id: string
}

/** A request's deltas as those of a chat, each output index by itself. */
export class ChatReader {
  private readonly slots: Array<Slot> = []

  constructor(
    private readonly open: () => ReplyScanner,
    private readonly newId: NewCallId
  ) {}

  read(delta: GenerationDelta): Array<ChatDelta> {
    const { requestId, index, text, finishReason, usage } = delta
    this.slots[index] ??= { scanner: this.open(), id: "" }
    const slot = this.slots[index]
    const at = { requestId, index }
    const deltas: Array<ChatDelta> = []
    for (const piece of slot.scanner.push(text)) deltas.push({ ...at, ...this.said(slot, piece) })
    if (finishReason === null) return deltas
    for (const piece of slot.scanner.end()) deltas.push({ ...at, ...this.said(slot, piece) })
    deltas.push({ ...at, type: "finish", reason: finishReason, ...(usage === undefined ? {} : { usage }) })
    return deltas
  }

  private said(slot: Slot, piece: Piece) {
    switch (piece.type) {
      case "text":
        return { type: "text-delta", delta: piece.text } as const
      case "reasoning":
        return { type: "reasoning-delta", delta: piece.text } as const
      case "call-start":
        slot.id = piece.id ?? this.newId()
        return { type: "tool-params-start", id: slot.id, name: piece.name } as const
      case "call-arguments":
        return { type: "tool-params-delta", id: slot.id, delta: piece.text } as const
      case "call-end":
        return { type: "tool-params-end", id: slot.id } as const
    }
  }
}

/** A whole reply with its parts told apart: `text` is the answer around calls and after reasoning. */
export const readOutput = (output: CompletionOutput, scanner: ReplyScanner, newId: NewCallId): CompletionOutput => {
  const toolCalls: Array<ToolCall> = []
  let text = ""
  let reasoning: string | undefined
  for (const piece of [...scanner.push(output.text), ...scanner.end()]) {
    if (piece.type === "text") text += piece.text
    else if (piece.type === "reasoning") reasoning = (reasoning ?? "") + piece.text
    else if (piece.type === "call-start") toolCalls.push({ id: piece.id ?? newId(), name: piece.name, arguments: "" })
    else if (piece.type === "call-arguments") {
      const call = toolCalls.at(-1)!
      toolCalls[toolCalls.length - 1] = { ...call, arguments: call.arguments + piece.text }
    }
  }
  return { ...output, text, toolCalls, ...(reasoning === undefined ? {} : { reasoning }) }
}
