/** A text as a tokenizer wants it, before it is cut. */
export type Normalizer = (text: string) => string

/** Character by character, as Rust does: JavaScript would write a final sigma at the end of a word. */
export const lowercase: Normalizer = (text) => text.replaceAll("Σ", "σ").toLowerCase()
