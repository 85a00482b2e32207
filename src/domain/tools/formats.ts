/** How calls are told from text, and what stands around and between them. */
export interface CallFormat {
  /** Texts that announce calls wherever they stand. Special tokens among them are kept in the text. */
  readonly openings: ReadonlyArray<string>
  /** What ends the calls that an opening announced. */
  readonly closing?: string
  /** Where JSON by itself is a call (if it names a tool that was offered): nowhere, at the beginning of a reply, of a line. */
  readonly bare: "nowhere" | "reply" | "line"
  /** What may stand between two calls, beside white space. */
  readonly separators: string
  /** Whether an opening may be followed by `name{...}`. */
  readonly named?: boolean
  /** More special tokens that belong to the syntax. */
  readonly marks?: ReadonlyArray<string>
  /** Ids of nine letters and digits, which the template of this format insists on. */
  readonly shortIds?: boolean
}

/** By the names that vLLM gives them; `json` is the form that any model may fall back on, `none` reads no calls. */
export const callFormats = {
  hermes: { openings: ["<tool_call>"], closing: "</tool_call>", bare: "nowhere", separators: "," },
  llama3_json: { openings: ["<|python_tag|>"], bare: "reply", separators: ";" },
  mistral: {
    openings: ["[TOOL_CALLS]"],
    bare: "nowhere",
    separators: ",",
    named: true,
    marks: ["[CALL_ID]", "[ARGS]"],
    shortIds: true
  },
  json: { openings: ["```json"], closing: "```", bare: "line", separators: ",;" },
  none: { openings: [], bare: "nowhere", separators: "" }
} as const satisfies Record<string, CallFormat>

export type ToolCallParser = keyof typeof callFormats

/** What toolChoice "required" makes a model write: a JSON list of calls and nothing else. */
export const requiredCalls: CallFormat = { openings: [], bare: "reply", separators: "," }

/** Texts of a format that a vocabulary may hold as special tokens. */
export const marksOf = ({ openings, closing, marks = [] }: CallFormat): ReadonlyArray<string> => [
  ...openings,
  ...(closing === undefined ? [] : [closing]),
  ...marks
]

/** Formats that share a marker with one that is served and write something else between. */
const foreign = ["<function=", "<arg_key>"]

/** The format that a chat template teaches its model; undefined where it teaches none of these. */
export const detectToolCallParser = (template: string): ToolCallParser | undefined => {
  if (foreign.some((mark) => template.includes(mark))) return undefined
  if (template.includes("[TOOL_CALLS]")) return "mistral"
  if (template.includes("<tool_call>")) return "hermes"
  const llama3 = template.includes("<|python_tag|>") || template.includes("<|start_header_id|>")
  return llama3 ? "llama3_json" : undefined
}
