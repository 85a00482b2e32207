/**
 * Keys that stand twice in the outermost object of a JSON text that is known to parse. `JSON.parse` keeps the last of
 * them silently, so that two readers of one hostile file could see two different tensors.
 */
export const duplicateKeys = (json: string): Array<string> => {
  const seen = new Set<string>()
  const twice = new Set<string>()
  let depth = 0
  let at = 0
  while (at < json.length) {
    const char = json[at]
    if (char === '"') {
      const end = closingQuote(json, at)
      if (depth === 1 && isKey(json, end + 1)) {
        const key: string = JSON.parse(json.slice(at, end + 1))
        if (seen.has(key)) twice.add(key)
        seen.add(key)
      }
      at = end
    } else if (char === "{" || char === "[") depth++
    else if (char === "}" || char === "]") depth--
    at++
  }
  return [...twice]
}

const closingQuote = (json: string, open: number): number => {
  let at = open + 1
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1
  return at
}

const isKey = (json: string, after: number): boolean => {
  let at = after
  while (json[at] === " " || json[at] === "\n" || json[at] === "\r" || json[at] === "\t") at++
  return json[at] === ":"
}
