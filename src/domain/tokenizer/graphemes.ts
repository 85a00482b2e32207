const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" })

/** UTF-16 units given to Intl.Segmenter at a time: its cost for each grapheme grows with the text that it was given. */
const window = 256

const isAscii = (unit: number) => unit < 0x80
const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000
const cr = 0x0d

/**
 * Calls `each` with every grapheme of the text, in linear time. What begins at a boundary is cut as if nothing stood before
 * it, so the text may be cut from any boundary on; only the last grapheme of a window may go on behind it.
 */
export const eachGrapheme = (text: string, each: (grapheme: string) => void): void => {
  let size = window
  for (let at = 0; at < text.length; ) {
    const unit = text.charCodeAt(at)
    // Between two ASCII characters there is a boundary, but for the line end CR LF.
    if (isAscii(unit) && unit !== cr && at + 1 < text.length && isAscii(text.charCodeAt(at + 1))) {
      each(text[at++]!)
      continue
    }
    let end = Math.min(text.length, at + size)
    if (end < text.length && isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end))) end++
    const from = at
    let last = ""
    for (const { segment } of segmenter.segment(text.slice(from, end))) {
      if (last !== "") {
        each(last)
        at += last.length
      }
      last = segment
    }
    if (end === text.length) {
      each(last)
      return
    }
    // One grapheme filled the window: it needs a longer one.
    size = at === from ? size * 2 : window
  }
}
