import { isObject, type Json, type Located, schemaFault } from "./schema.ts"

/** The schema that a reference within the document names. */
export const resolvePointer = (root: Json, reference: string, from: string): Located => {
  const missing = () =>
    schemaFault(from, "$ref", reference, "a place in this schema, as #/$defs/name", "Put what it names under $defs.")
  if (reference !== "#" && !reference.startsWith("#/")) throw missing()
  const names = reference === "#" ? [] : reference.slice(2).split("/")
  let found: Json | undefined = root
  for (const raw of names) {
    const name = decodeName(raw)
    if (Array.isArray(found)) found = found[Number(name)] as Json | undefined
    else if (isObject(found) && Object.hasOwn(found, name)) found = found[name]
    else throw missing()
  }
  if (typeof found !== "boolean" && !isObject(found)) throw missing()
  return { schema: found, at: reference }
}

const decodeName = (raw: string): string => {
  let name = raw
  try {
    name = decodeURIComponent(raw)
  } catch {
    // A per cent sign that begins no escape stands for itself.
  }
  return name.replaceAll("~1", "/").replaceAll("~0", "~")
}
