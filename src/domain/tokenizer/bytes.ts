/**
 * The byte alphabet of byte-level BPE: each of the 256 bytes has a printable character, so that vocabularies are text.
 * Printable Latin-1 stands for itself, the other 68 bytes for U+0100 and up, in order.
 */
const standsForItself = (byte: number) =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)

export const charOfByte: ReadonlyArray<string> = (() => {
  const chars: Array<string> = []
  let next = 0x100
  for (let byte = 0; byte < 256; byte++) chars.push(String.fromCharCode(standsForItself(byte) ? byte : next++))
  return chars
})()

/** UTF-16 unit -> byte, -1 outside the alphabet. All characters of the alphabet lie below U+0144. */
const byteOfUnit = (() => {
  const table = new Int16Array(0x144).fill(-1)
  for (let byte = 0; byte < 256; byte++) table[charOfByte[byte]!.charCodeAt(0)] = byte
  return table
})()

const utf8 = new TextEncoder()

/** The bytes that a token of a byte-level vocabulary stands for; its own UTF-8 when a character lies outside the alphabet. */
export const bytesOfToken = (token: string): Uint8Array => {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfUnit[token.charCodeAt(i)] ?? -1
    if (byte < 0) return utf8.encode(token)
    bytes[i] = byte
  }
  return bytes
}

/** The text in the byte alphabet, as a vocabulary spells it. */
export const spellBytes = (text: string): string => {
  let out = ""
  for (const byte of utf8.encode(text)) out += charOfByte[byte]
  return out
}

/** The byte of a fallback token `<0xE4>`, -1 for any other. */
export const byteOfFallbackToken = (token: string): number => {
  if (token.length !== 6 || !token.startsWith("<0x") || token[5] !== ">") return -1
  const hex = token.slice(3, 5)
  return /^[0-9A-Fa-f]{2}$/.test(hex) ? Number.parseInt(hex, 16) : -1
}

export const fallbackTokenOfByte = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`
