/** How many of the bytes are whole characters or certainly invalid: what may still become a character at the end is left out. */
export const completeLength = (bytes: Uint8Array): number => {
  const end = bytes.length
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back]!
    if (byte < 0x80) return end
    if (byte < 0xc0) continue
    return back < sizeFrom(byte) && mayGoOn(byte, back > 1 ? bytes[end - back + 1]! : -1) ? end - back : end
  }
  return end
}

const sizeFrom = (lead: number): number => {
  if (lead < 0xc2 || lead > 0xf4) return 1
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** Overlong forms, surrogates and values past U+10FFFF show in the second byte. */
const mayGoOn = (lead: number, second: number): boolean => {
  if (second < 0) return true
  if (lead === 0xe0) return second >= 0xa0
  if (lead === 0xed) return second < 0xa0
  if (lead === 0xf0) return second >= 0x90
  if (lead === 0xf4) return second < 0x90
  return true
}
