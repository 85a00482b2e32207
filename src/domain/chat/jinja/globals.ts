import { givenBy } from "./arguments.ts"
import { fill } from "./containerMethods.ts"
import { TemplateFault } from "./fault.ts"
import { maxRange } from "./run.ts"
import { show } from "./show.ts"
import { strftime } from "./strftime.ts"
import { type Host, typeName, type Value } from "./value.ts"

const range = ({ run, make }: Host, args: ReadonlyArray<Value>): Value => {
  const numbers = args.map((value) =>
    value.type === "IntegerValue" ? value.value : run.fail(`range: '${typeName(value)}' is no whole number`)
  )
  const [start = 0, stop = 0, step = 1] = numbers.length === 1 ? [0, numbers[0]!] : numbers
  if (step === 0) return run.fail("range: the step must not be zero")
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length > maxRange) return run.exceed(`range asks for ${length} numbers; ${maxRange} are allowed`)
  run.spendOnItems(length)
  return make.list(Array.from({ length }, (_, at) => make.int(start + at * step)))
}

const globals: Readonly<Record<string, (host: Host, args: ReadonlyArray<Value>, now: number) => Value>> = {
  range,
  dict: (host, args) => host.make.dict(fill(host, new Map(), givenBy(args))),
  namespace: (host, args) => host.make.space(fill(host, new Map(), givenBy(args))),
  raise_exception: (host, [message]) => {
    throw new TemplateFault("raised", message === undefined ? "" : show(host, message), host.run.line)
  },
  strftime_now: (host, [format], now) =>
    host.make.text(host.run.text(strftime(now, format === undefined ? "" : show(host, format))))
}

/** What every template may call or name; `now` in milliseconds since 1970. */
export const globalsOf = (host: Host, now: number): ReadonlyMap<string, Value> => {
  const { make } = host
  const names = new Map<string, Value>()
  for (const [name, call] of Object.entries(globals))
    names.set(
      name,
      make.callable((args) => call(host, args, now))
    )
  const constants = { true: make.bool(true), false: make.bool(false), none: make.none() }
  for (const [name, value] of Object.entries(constants)) {
    names.set(name, value)
    names.set(`${name[0]!.toUpperCase()}${name.slice(1)}`, value)
  }
  return names
}
