import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** By hand: the first toLocaleString of a process costs tens of milliseconds. */
const grouped = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ",")

/** A whole number of a closed range; its description is what error messages and `--help` say. */
export const int = (least: number, most?: number) =>
  Schema.Int.pipe(Schema.between(least, most ?? Number.MAX_SAFE_INTEGER)).annotations({
    description:
      most === undefined
        ? `a whole number of at least ${grouped(least)}`
        : `a whole number from ${grouped(least)} to ${grouped(most)}`
  })

/** A finite number for which `test` holds. */
export const finite = (description: string, test: (value: number) => boolean) =>
  Schema.Finite.pipe(Schema.filter(test)).annotations({ description })

export const text = Schema.NonEmptyString.annotations({ description: "a text that is not empty" })
export const flag = Schema.Boolean.annotations({ description: "true or false" })

export const oneOf = <const Values extends readonly [string, ...Array<string>]>(...values: Values) =>
  Schema.Literal(...values).annotations({ description: values.map((value) => JSON.stringify(value)).join(" or ") })

/** Whatever Effect takes for a length of time: "10 minutes", milliseconds, a Duration. */
export const duration: Schema.Schema<Duration.DurationInput> = Schema.declare(
  (value): value is Duration.DurationInput => Option.isSome(Duration.decodeUnknown(value))
).annotations({ description: 'a duration such as "10 minutes", or milliseconds' })

export const jsonObject = Schema.Record({ key: Schema.String, value: Schema.Unknown }).annotations({
  description: "an object"
})

/** An optional field with its help text and, where it does not depend on model or machine, its default. */
export const field = <A, I>(schema: Schema.Schema<A, I>, description: string, fallback?: A) =>
  Schema.optional(schema).annotations(fallback === undefined ? { description } : { description, default: fallback })
