import type { Host, Value } from "./value.ts"

/** A caller's JSON value as a template sees it: a copy, so that no template changes what the caller holds. */
export const fromJson = (host: Host, value: unknown): Value => {
  const { run, make } = host
  run.spend(1)
  switch (typeof value) {
    case "string":
      return make.text(value)
    case "boolean":
      return make.bool(value)
    case "bigint":
    case "number":
      return (Number.isInteger(Number(value)) ? make.int : make.float)(Number(value))
    case "object":
      return value === null ? make.none() : run.nested(() => container(host, value))
    default:
      return run.fail(`a ${typeof value} cannot be shown to a template`)
  }
}

const container = (host: Host, value: object): Value => {
  const shown = (item: unknown) => fromJson(host, item ?? null)
  if (Array.isArray(value)) return host.make.list(value.map(shown))
  // A key without a value is no key, as in JSON.
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
  return host.make.dict(new Map(entries.map(([key, item]) => [key, shown(item)])))
}
