import { readFile } from "node:fs/promises"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { decodeEngineOptions } from "../domain/config/engineOptions.ts"
import { InvalidRequest } from "../domain/errors.ts"
import type { ChatRequest } from "../domain/request/generateRequest.ts"
import { decodeSampling } from "../domain/sampling/samplingParams.ts"
import { layerWithHubConfig } from "../layers/compose/engine.ts"
import { withTemplateFile } from "../llm/templateFile.ts"
import { Engine, type EngineService } from "../services/Engine.ts"
import { readLine } from "./chatCommands.ts"
import { chatFlags, chatHelp, sortChatValues } from "./chatFlags.ts"
import { CliError } from "./cliError.ts"
import { Conversation } from "./conversation.ts"
import type { MakeEngine } from "./generate.ts"
import type { Io } from "./io.ts"
import { parseLine } from "./parse.ts"
import { rate } from "./progress.ts"
import { bold, dim } from "./style.ts"
import { openTerminal, type Terminal } from "./terminal.ts"
import { replyTo } from "./turn.ts"

const readTools = (file: string | undefined): Effect.Effect<ReadonlyArray<unknown> | undefined, CliError> =>
  file === undefined
    ? Effect.succeed(undefined)
    : Effect.tryPromise({
        try: async () => {
          const tools: unknown = JSON.parse(await readFile(file, "utf8"))
          if (!Array.isArray(tools)) throw new Error("it holds no array")
          return tools
        },
        catch: (error) => new CliError(`The file of tools, ${file}: ${error instanceof Error ? error.message : error}.`)
      })

/** A session: its conversation, and what goes with every request. */
interface Session {
  readonly engine: EngineService
  readonly conversation: Conversation
  readonly request: Omit<ChatRequest, "messages">
  readonly terminal: Terminal
  readonly io: Io
}

/** One reply, kept in the conversation when there is any; false when the engine refused or failed. */
const reply = ({ engine, conversation, request, terminal, io }: Session) =>
  Effect.gen(function* () {
    const start = performance.now()
    const messages = [...conversation.messages] as unknown as ChatRequest["messages"]
    const answer = yield* replyTo(engine, { ...request, messages }, terminal, io.out.write)
    if (answer.text !== "" || answer.toolCalls.length > 0) conversation.assistant(answer)
    const note = answer.stopped
      ? "Stopped; what was said so far is kept."
      : `${answer.tokens} tokens, ${rate(answer.tokens, performance.now() - start)} tokens/s`
    if (terminal.isTerminal) io.err(`${dim(note, io.errIsTerminal)}\n`)
    return answer
  })

/** A user's message and all that follows from it: replies, and the results of the tools that they call. */
const turn = (session: Session, message: string) =>
  Effect.gen(function* () {
    const { conversation, terminal } = session
    const before = conversation.length
    conversation.user(message)
    for (;;) {
      const answer = yield* Effect.tapError(reply(session), () => Effect.sync(() => conversation.cut(before)))
      if (conversation.length === before + 1) conversation.cut(before)
      if (answer.toolCalls.length === 0) return
      for (const call of answer.toolCalls) {
        const result = yield* Effect.promise(() => terminal.ask(bold(`${call.name} = `, terminal.isTerminal)))
        // Without a result there is nothing to go on with: the user speaks next, as if nothing had been asked.
        if (result === undefined || result === "") return conversation.cut(before)
        conversation.tool(call, result)
      }
    }
  })

/** Until the user leaves; answers the exit code, which for a pipe says whether every message got its reply. */
const converse = (session: Session) =>
  Effect.gen(function* () {
    const { conversation, terminal, io } = session
    let failures = 0
    for (;;) {
      const typed = yield* Effect.promise(() => terminal.ask(bold("> ", terminal.isTerminal)))
      if (typed === undefined) break
      if (typed.trim() === "") continue
      const line = yield* Effect.promise(() => readLine(typed, conversation))
      if (line.kind === "end") break
      if (line.kind === "told") {
        if (line.failed) failures++
        io.err(line.text)
        continue
      }
      yield* Effect.catchAll(turn(session, line.text), (error) =>
        Effect.sync(() => {
          failures++
          io.err(`${error.message}\n`)
        })
      )
    }
    return failures > 0 && !terminal.isTerminal ? 1 : 0
  })

const noTemplate = new InvalidRequest({
  field: "chatTemplate",
  given: "none",
  expected: "a template: the checkpoint brings none",
  mend: "Give --chat-template, or use millrace generate."
})

/** `millrace chat`; answers the exit code. */
export const run = (
  args: ReadonlyArray<string>,
  io: Io,
  makeEngine: MakeEngine = layerWithHubConfig,
  open: () => Terminal = openTerminal
) =>
  Effect.gen(function* () {
    const line = yield* Effect.try({ try: () => parseLine(args, chatFlags), catch: (error) => error as CliError })
    if (line.help) {
      yield* Effect.promise(() => io.out.write(chatHelp()))
      return 0
    }
    if (line.positionals.length > 0)
      return yield* Effect.fail(new CliError("A chat takes no prompt on its command line: type it, or pipe it in."))
    const { own, sampling, engine: given } = sortChatValues(line.values)
    const { system, tools: file, ...rest } = own
    const template = yield* withTemplateFile(rest)
    const params = yield* decodeSampling(sampling)
    const options = yield* decodeEngineOptions(given)
    const tools = yield* readTools(file)
    const engine = Context.get(yield* Layer.build(makeEngine(options)), Engine)
    if (!engine.model.chatTemplate && own.chatTemplate === undefined) return yield* noTemplate
    const request = {
      ...template,
      ...(tools === undefined ? {} : { tools }),
      params: { maxTokens: engine.model.maxModelLen, ...params }
    } as Session["request"]
    const terminal = yield* Effect.acquireRelease(Effect.sync(open), (opened) => Effect.sync(opened.close))
    if (terminal.isTerminal)
      io.err(`${dim(`${engine.model.name} on ${engine.model.device}. /help lists commands.`, io.errIsTerminal)}\n`)
    return yield* converse({ engine, conversation: new Conversation(system), request, terminal, io })
  }).pipe(Effect.scoped)
