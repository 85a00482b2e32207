import type { ToolCallParser } from "../../../src/domain/tools/formats.ts"
import type { Message } from "./scan.ts"

const call = (name: string, args: string) => ({ name, arguments: args })
const weather = call("get_weather", '{"city": "Paris"}')
const time = call("get_time", '{"city":"Oslo"}')
export const json = '{"name": "get_weather", "arguments": {"city": "Paris"}}'
export const other = '{"name": "get_time", "parameters": {"city":"Oslo"}}'

export type Case = readonly [text: string, message: Partial<Message>]

/** Replies and the messages that they are, by format. */
export const cases: { readonly [Name in ToolCallParser]: ReadonlyArray<Case> } = {
  hermes: [
    [`<tool_call>${json}</tool_call>`, { text: "", calls: [weather] }],
    [`<tool_call>\n${json}\n</tool_call>\n<tool_call>\n${other}\n</tool_call>`, { text: "", calls: [weather, time] }],
    [`Let me see.\n<tool_call>${json}</tool_call>`, { text: "Let me see.\n", calls: [weather] }],
    [`<tool_call>${json}</tool_call>\n\nDone.`, { text: "\n\nDone.", calls: [weather] }],
    [`\n\n<tool_call>${json}`, { text: "", calls: [weather] }],
    [`<tool_call>[${json}, ${other}]</tool_call>!`, { text: "!", calls: [weather, time] }],
    ['<tool_call>{"arguments": {"a": "}<"}, "name": "f"}</tool_call>', { text: "", calls: [call("f", '{"a": "}<"}')] }],
    ['<tool_call>{"name": "f"}</tool_call>', { text: "", calls: [call("f", "{}")] }],
    [
      '<tool_call>{"name": "f", "arguments": "{\\"a\\": \\"\\u00e9\\\\n\\"}"}</tool_call>',
      { calls: [call("f", '{"a": "é\\n"}')] }
    ],
    ['<tool_call>{"name": "f", "arguments": ""}</tool_call>', { text: "", calls: [call("f", "{}")] }],
    ['<tool_call>{"name": "f", "arguments": null, "id": 3}</tool_call>.', { text: ".", calls: [call("f", "null")] }],
    // One brace too few, one too many: the call is as clear as before.
    ['<tool_call>{"name": "f", "arguments": {"a": 1}</tool_call> ok', { text: " ok", calls: [call("f", '{"a": 1}')] }],
    ['<tool_call>{"name": "f", "arguments": {"a": 1}}}</tool_call>', { text: "", calls: [call("f", '{"a": 1}')] }],
    // Not calls: the text that they are.
    ["<tool_call>none needed</tool_call>", { text: "<tool_call>none needed</tool_call>", calls: [] }],
    ['<tool_call>{"arguments": {}}</tool_call>', { text: '<tool_call>{"arguments": {}}</tool_call>', calls: [] }],
    ['<tool_call>{"name": 7}', { text: '<tool_call>{"name": 7}', calls: [] }],
    [`<tool_call>oh <tool_call>${json}</tool_call>`, { text: "<tool_call>oh ", calls: [weather] }],
    ["a < b, <tool", { text: "a < b, <tool", calls: [] }],
    [json, { text: json, calls: [] }],
    ["  \n", { text: "  \n", calls: [] }],
    // Cut off: before the name is known it is text; after, what there was of the arguments.
    ['<tool_call>{"name": "get_we', { text: '<tool_call>{"name": "get_we', calls: [] }],
    ['<tool_call>{"name": "f", "arguments": {"a": [1', { text: "", calls: [call("f", '{"a": [1')] }],
    ['<tool_call>{"name": "f", "arguments": {"a": </tool_call>', { text: "", calls: [call("f", '{"a": ')] }]
  ],
  llama3_json: [
    [json, { text: "", calls: [weather] }],
    [` {"type": "function", "name": "get_time", "parameters": {"city":"Oslo"}}`, { text: "", calls: [time] }],
    [`<|python_tag|>${json}; ${other}`, { text: "", calls: [weather, time] }],
    [`${json};${other}`, { text: "", calls: [weather, time] }],
    [`I look: <|python_tag|>${json}`, { text: "I look: ", calls: [weather] }],
    [`${json} and so on`, { text: " and so on", calls: [weather] }],
    ['{"name": "Tom", "age": 31}', { text: '{"name": "Tom", "age": 31}', calls: [] }],
    ['{"answer": 42}', { text: '{"answer": 42}', calls: [] }],
    ["<|python_tag|>print(1)", { text: "<|python_tag|>print(1)", calls: [] }],
    [`Here: ${json}`, { text: `Here: ${json}`, calls: [] }],
    [`${json}; {"x": 1}`, { text: '; {"x": 1}', calls: [weather] }]
  ],
  mistral: [
    [`[TOOL_CALLS][${json}, ${other}]`, { text: "", calls: [weather, time] }],
    [` [TOOL_CALLS] [${json}]`, { text: "", calls: [weather] }],
    ['[TOOL_CALLS]get_weather{"city": "Paris"}', { text: "", calls: [weather] }],
    [
      '[TOOL_CALLS]get_weather[ARGS]{"city": "Paris"}[TOOL_CALLS]get_time[CALL_ID]abcDEF123[ARGS]{"city":"Oslo"}',
      { text: "", calls: [weather, time] }
    ],
    ['On it.[TOOL_CALLS]get_weather {"city": "Paris"} Done', { text: "On it. Done", calls: [weather] }],
    ["[TOOL_CALLS]?", { text: "[TOOL_CALLS]?", calls: [] }],
    ["[TOOL_CALLS]get_weather, perhaps", { text: "[TOOL_CALLS]get_weather, perhaps", calls: [] }],
    ["[TOOL_CALLS]", { text: "[TOOL_CALLS]", calls: [] }],
    ["see [TOOL] and [TOOL_CALL", { text: "see [TOOL] and [TOOL_CALL", calls: [] }]
  ],
  json: [
    [json, { text: "", calls: [weather] }],
    [`[${json},\n ${other}]\n`, { text: "", calls: [weather, time] }],
    [`Sure:\n${json}`, { text: "Sure:\n", calls: [weather] }],
    [`Sure:\n\`\`\`json\n${json}\n\`\`\`\nThere.`, { text: "Sure:\n\nThere.", calls: [weather] }],
    [`{"type": "function", "id": "1", "function": ${json}}`, { text: "", calls: [weather] }],
    ['{"function": "get_time", "args": {"city":"Oslo"}}', { text: "", calls: [time] }],
    ['{"name": "Tom", "arguments": {}}', { text: '{"name": "Tom", "arguments": {}}', calls: [] }],
    ['{"city": "Lima", "name": "get_time"}', { text: '{"city": "Lima", "name": "get_time"}', calls: [] }],
    ["[]", { text: "[]", calls: [] }],
    [`[${json}, ]`, { text: "", calls: [weather] }],
    ["[1, 2]\n{}", { text: "[1, 2]\n{}", calls: [] }],
    ['```json\n{"a": 1}\n```', { text: '```json\n{"a": 1}\n```', calls: [] }],
    [`inline ${json}`, { text: `inline ${json}`, calls: [] }]
  ],
  none: [[`<tool_call>${json}</tool_call>`, { text: `<tool_call>${json}</tool_call>`, calls: [] }]]
}
