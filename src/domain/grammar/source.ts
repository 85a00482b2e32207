/** What a reply must conform to, as a request says it (`structuredOutputs`): exactly one of these. */
export type StructuredOutputs =
  /** A JSON Schema, as an object or its text. */
  | { readonly json: string | boolean | Readonly<Record<string, unknown>> }
  /** The whole reply matches. */
  | { readonly regex: string }
  | { readonly choice: ReadonlyArray<string> }
  /** GBNF: `root ::= ...`. */
  | { readonly grammar: string }
  /** Any JSON object. */
  | { readonly jsonObject: true }

/**
 * The same, put together by the engine's own parts. A forced tool call is
 * `{ sequence: [{ text: '<tool_call>\n{"name": "f", "arguments": ' }, { json: parameters }, { text: "}\n</tool_call>" }] }`, of
 * several tools `{ either: [...] }`, of several calls `{ many: call, separator: { text: "\n" } }`.
 */
export type GrammarSource =
  | StructuredOutputs
  | { readonly text: string }
  | { readonly sequence: ReadonlyArray<GrammarSource> }
  | { readonly either: ReadonlyArray<GrammarSource> }
  /** One or more, `separator` between them, `most` at most. */
  | { readonly many: GrammarSource; readonly separator?: GrammarSource; readonly most?: number }
