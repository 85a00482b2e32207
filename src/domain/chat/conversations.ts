import * as Either from "effect/Either"
import type { InvalidRequest } from "../errors.ts"
import type { ChatRequest } from "../request/generateRequest.ts"
import { refuse } from "./messages.ts"

/** One conversation, or several: an array of arrays. What stands in each is judged where it is decoded. */
export const listConversations = (
  messages: unknown
): Either.Either<ReadonlyArray<ChatRequest["messages"]>, InvalidRequest> => {
  if (!Array.isArray(messages))
    return refuse(
      "messages",
      messages,
      "an array of messages, or an array of such arrays",
      "Put the message into an array."
    )
  const several = Array.isArray(messages[0])
  const odd = messages.findIndex((each) => Array.isArray(each) !== several)
  if (odd >= 0)
    return refuse(
      `messages[${odd}]`,
      messages[odd],
      several ? "an array of messages, as the first is" : "a message, as the first is",
      "Give either one conversation or an array of conversations."
    )
  return Either.right(several ? messages : [messages])
}
