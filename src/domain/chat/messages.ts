import * as Either from "effect/Either"
import { show } from "../config/show.ts"
import { InvalidRequest } from "../errors.ts"

/** A message: its role, its content, and whatever else its template knows. */
export type Message = Readonly<Record<string, unknown>> & { readonly role: string }

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const refuse = (field: string, given: unknown, expected: string, mend: string) =>
  Either.left(new InvalidRequest({ field, given: given === undefined ? "nothing" : show(given), expected, mend }))

const judgeMessage = (given: unknown, field: string): Either.Either<Message, InvalidRequest> => {
  if (!isRecord(given))
    return refuse(field, given, "an object with role and content", "Give each message as such an object.")
  const { role } = given
  return typeof role === "string"
    ? Either.right({ ...given, role })
    : refuse(
        `${field}.role`,
        role,
        "a text such as user",
        "Say whose message it is: system, user, assistant, tool, ..."
      )
}

/** Each message has a role, which may be any text: the template judges that. */
export const judgeMessages = (given: unknown): Either.Either<ReadonlyArray<Message>, InvalidRequest> =>
  Array.isArray(given)
    ? Either.all(given.map((message, at) => judgeMessage(message, `messages[${at}]`)))
    : refuse("messages", given, "an array of messages", "Put the messages into an array, the oldest first.")
