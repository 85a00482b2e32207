import { bind, type Given } from "./arguments.ts"
import { fill } from "./containerMethods.ts"
import { TemplateFault } from "./fault.ts"
import { maxRange, type Run } from "./run.ts"
import { Scope } from "./scope.ts"
import { show } from "./show.ts"
import { strftime } from "./strftime.ts"
import { Callable, type Dict, Namespace, numberOf, Thing, typeName, type Value } from "./value.ts"

const range = (run: Run, given: Given): Value => {
  const numbers = bind(run, "range", ["start", "stop", "step"], given)
    .filter((value) => value !== undefined)
    .map((value) => {
      const number = numberOf(value)
      return number !== undefined && Number.isInteger(number)
        ? number
        : run.fail(`range: '${typeName(value)}' is no whole number`)
    })
  if (numbers.length === 0) return run.fail("range needs at least one number")
  const [start, stop, step] = numbers.length === 1 ? [0, numbers[0]!, 1] : [numbers[0]!, numbers[1]!, numbers[2] ?? 1]
  if (step === 0) return run.fail("range: the step must not be zero")
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length > maxRange) return run.exceed(`range asks for ${length} numbers; ${maxRange} are allowed`)
  run.spendOnItems(length)
  return Array.from({ length }, (_, at) => start + at * step)
}

/** `cycler("a", "b")`: `next()` goes round. */
class Cycler extends Thing {
  readonly typeName = "Cycler"
  private at = 0
  constructor(private readonly items: ReadonlyArray<Value>) {
    super()
  }
  attribute(name: string): Value | undefined {
    const { length } = this.items
    if (name === "current") return this.items[this.at % length]
    if (name === "next") return new Callable("next", () => this.items[this.at++ % length]!)
    return name === "reset" ? new Callable("reset", () => this.reset()) : undefined
  }
  private reset(): Value {
    this.at = 0
    return null
  }
}

const cycler = (run: Run, { positional }: Given): Value =>
  positional.length === 0 ? run.fail("cycler needs at least one item") : new Cycler(positional)

/** Gives nothing the first time, the separator after that. */
const joiner = (run: Run, given: Given): Value => {
  const [separator = ", "] = bind(run, "joiner", ["sep"], given)
  let used = false
  return new Callable("joiner", () => {
    const text = used ? separator : ""
    used = true
    return text
  })
}

const globals: Readonly<Record<string, (run: Run, given: Given) => Value>> = {
  range,
  cycler,
  joiner,
  dict: (run, { positional, named }) => fill(run, new Map() as Dict, positional[0], named),
  namespace: (run, { positional, named }) =>
    new Namespace(fill(run, new Map() as Dict, positional[0], named) as Map<string, Value>),
  raise_exception: (run, given) => {
    const [message = ""] = bind(run, "raise_exception", ["message"], given)
    throw new TemplateFault("raised", show(run, message), run.line)
  },
  strftime_now: (run, given) => {
    const [format = ""] = bind(run, "strftime_now", ["format"], given)
    return run.text(strftime(run.now, show(run, format)))
  }
}

/** What every template may call. */
export const globalScope = (): Scope => {
  const scope = new Scope()
  for (const [name, call] of Object.entries(globals)) scope.set(name, new Callable(name, call))
  return scope
}
