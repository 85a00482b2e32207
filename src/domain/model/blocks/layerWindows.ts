import type { ConfigReader } from "../configReader.ts"

const kinds = ["full_attention", "sliding_attention"] as const

/**
 * The window of each layer in Qwen's configs, 0 where it sees all. `sliding_window` acts only with `use_sliding_window`:
 * in the layers that `layer_types` names, or else in those from `max_window_layers` on.
 */
export const readLayerWindows = (r: ConfigReader, layers: number): ReadonlyArray<number> => {
  const acts = r.bool("use_sliding_window", false) && r.json.sliding_window !== null
  const window = acts ? r.int("sliding_window", 4096) : 0
  const full = r.int("max_window_layers", 28, 0)
  const types = r.given("layer_types")
  if (types === undefined) return Array.from({ length: layers }, (_, layer) => (layer >= full ? window : 0))
  const listed = Array.isArray(types) ? types : []
  r.expect(
    listed.length === layers && listed.every((type) => kinds.includes(type)),
    `layer_types must list ${layers} layers, each one of ${kinds.join(", ")}.`
  )
  return Array.from({ length: layers }, (_, layer) => (listed[layer] === "sliding_attention" ? window : 0))
}

/** The window that a cache of all these layers may forget by: 0 unless they agree. */
export const sharedWindow = (windows: ReadonlyArray<number>): number =>
  windows.every((window) => window === windows[0]) ? (windows[0] ?? 0) : 0
