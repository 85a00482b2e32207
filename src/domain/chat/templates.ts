import * as Either from "effect/Either"
import type { InvalidRequest } from "../errors.ts"
import { type ContentFormat, contentFormatOf } from "./contentFormat.ts"
import type { Limits } from "./jinja/run.ts"
import type { Compile, Template } from "./jinja/template.ts"
import { refuse } from "./messages.ts"

/** Templates by name; the one of a checkpoint that has only one is `default`. */
export type Sources = ReadonlyMap<string, string>

/** The template that a request chose, and what it may use. */
export interface Chosen {
  readonly source: string
  /** Whether it came with the request: then it is a stranger's. */
  readonly foreign: boolean
  readonly limits: Limits
  /** Compiled, once. Throws a TemplateFault where the source is no template. */
  readonly open: () => Compiled
}

export interface Compiled {
  readonly template: Template
  readonly contentFormat: ContentFormat
}

/** The checkpoint's own template may look back and forth in very long chats (Gemma's is quadratic); neither may run for good. */
const ownLimits: Limits = { steps: 40_000_000, characters: 2 ** 25, depth: 100 }
const foreignLimits: Limits = { steps: 1_000_000, characters: 2 ** 23, depth: 100 }

/** Characters of a request's template. */
const maxSource = 2 ** 20
/** Templates of requests that are kept compiled: an application has a few of them, each sent many times. */
const maxKept = 16

/** A text without any of these is no template: it must be meant as a name. */
const looksLikeTemplate = (text: string) => /[{}\n]/.test(text)

/** A checkpoint's templates, and those of requests that were used last, compiled once. */
export class TemplateStore {
  private readonly own = new Map<string, Compiled>()
  private readonly kept = new Map<string, Compiled>()

  constructor(
    readonly sources: Sources,
    private readonly compile: Compile
  ) {}

  /** The request's own template (or the name of one), else the one for tools where tools are given, else the default. */
  choose(given: string | undefined, withTools: boolean): Either.Either<Chosen, InvalidRequest> {
    const name = given ?? (withTools && this.sources.has("tool_use") ? "tool_use" : "default")
    const source = this.sources.get(name)
    if (source !== undefined) return Either.right(this.chosen(this.own, source))
    if (given === undefined || !looksLikeTemplate(given)) return this.unknown(given)
    if (given.length > maxSource)
      return refuse("chatTemplate", `${given.length} characters`, `at most ${maxSource}`, "Give a shorter template.")
    return Either.right(this.chosen(this.kept, given))
  }

  private chosen(cache: Map<string, Compiled>, source: string): Chosen {
    const foreign = cache === this.kept
    return { source, foreign, limits: foreign ? foreignLimits : ownLimits, open: () => this.compiled(cache, source) }
  }

  private unknown(given: string | undefined) {
    const names = [...this.sources.keys()]
    const named =
      names.length === 0 ? "the checkpoint brings none" : `or the name of one of the checkpoint's: ${names.join(", ")}`
    return refuse(
      "chatTemplate",
      given ?? "none",
      `a template: its text, ${names.length === 0 ? "for " : ""}${named}`,
      given === undefined ? "Give chatTemplate with the request, or send a plain prompt." : "Give the template's text."
    )
  }

  private compiled(cache: Map<string, Compiled>, source: string): Compiled {
    const known = cache.get(source)
    const template = known?.template ?? this.compile(source)
    const made = known ?? { template, contentFormat: contentFormatOf(template) }
    // Put behind the others: the first of the map is the one that was not used for longest.
    cache.delete(source)
    cache.set(source, made)
    if (cache === this.kept && cache.size > maxKept) cache.delete(cache.keys().next().value!)
    return made
  }
}
