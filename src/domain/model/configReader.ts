import { type Dtype, dtypes } from "../tensor/dtype.ts"

export type Json = Readonly<Record<string, unknown>>

const show = (value: unknown): string =>
  value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value)).slice(0, 80)

/**
 * Reads fields of a config.json and gathers every fault instead of stopping at the first. A faulty field answers its
 * default or a stand-in, so that reading can go on; what was read counts only while `problems` is empty.
 */
export class ConfigReader {
  readonly problems: Array<string> = []
  constructor(readonly json: Json) {}

  /** The first of `names` that is there and not null. */
  given(...names: ReadonlyArray<string>): unknown {
    return names.map((name) => this.json[name]).find((value) => value !== undefined && value !== null)
  }

  int(name: string | ReadonlyArray<string>, fallback?: number, least = 1): number {
    return (
      this.field(
        name,
        fallback,
        `a whole number of ${least} or more`,
        (v): v is number => Number.isInteger(v) && Number(v) >= least
      ) ?? least
    )
  }

  float(name: string | ReadonlyArray<string>, fallback?: number): number {
    return this.field(name, fallback, "a number above 0", (v): v is number => Number.isFinite(v) && Number(v) > 0) ?? 1
  }

  bool(name: string, fallback: boolean): boolean {
    return this.field(name, fallback, "true or false", (v): v is boolean => typeof v === "boolean") ?? fallback
  }

  choice<A extends string>(name: string | ReadonlyArray<string>, options: ReadonlyArray<A>, fallback?: A): A {
    return (
      this.field(name, fallback, `one of ${options.join(", ")}`, (v): v is A => options.includes(v as A)) ?? options[0]!
    )
  }

  /** A token id, several, or none. */
  tokenIds(name: string): ReadonlyArray<number> {
    const value = this.given(name)
    if (value === undefined) return []
    const ids = Array.isArray(value) ? value : [value]
    if (ids.every((id): id is number => Number.isInteger(id) && id >= 0)) return ids
    this.say(`${name} is ${show(value)}; expected a token id or a list of them.`)
    return []
  }

  /** A nested object, read with the same list of problems. */
  object(name: string): Json | undefined {
    return this.field(
      name,
      undefined,
      "an object",
      (v): v is Json => typeof v === "object" && v !== null && !Array.isArray(v),
      true
    )
  }

  /** A reader of a nested object; its problems join this one's, each named by its path. */
  nested(json: Json, path: string, read: (reader: ConfigReader) => void): void {
    const reader = new ConfigReader(json)
    read(reader)
    for (const problem of reader.problems) this.say(`${path}.${problem}`)
  }

  /** Keeps a sentence when `holds` is false. */
  expect(holds: boolean, problem: string): void {
    if (!holds) this.say(problem)
  }

  /** The type that the checkpoint says it is stored in; float32 when it says nothing. */
  dtype(): Dtype {
    return this.choice(["dtype", "torch_dtype"], dtypes, "float32")
  }

  private say(problem: string): void {
    this.problems.push(problem)
  }

  private field<A>(
    name: string | ReadonlyArray<string>,
    fallback: A | undefined,
    expected: string,
    is: (value: unknown) => value is A,
    optional = false
  ): A | undefined {
    const names = typeof name === "string" ? [name] : name
    const value = this.given(...names)
    if (value === undefined && (fallback !== undefined || optional)) return fallback
    if (is(value)) return value
    this.say(`${names[0]} is ${show(value)}; expected ${expected}.`)
    return fallback
  }
}
