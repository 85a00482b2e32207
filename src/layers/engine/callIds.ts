const shortAlphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))

/** An id as OpenAI writes them. */
export const longCallId = (): string => `call_${Buffer.from(random(12)).toString("hex")}`

/** Nine letters and digits, as the templates of Mistral insist on. */
export const shortCallId = (): string =>
  Array.from(random(9), (byte) => shortAlphabet[byte % shortAlphabet.length]).join("")
