type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** `config.json` under what the user overrides: objects are merged entry by entry, anything else is replaced. */
export const overrideConfig = (config: Json, overrides: Json | undefined): Json => {
  if (overrides === undefined) return config
  const merged = Object.entries(overrides).map(([key, value]) => {
    const before = Object.hasOwn(config, key) ? config[key] : undefined
    return [key, isObject(before) && isObject(value) ? overrideConfig(before, value) : value]
  })
  return { ...config, ...Object.fromEntries(merged) }
}
