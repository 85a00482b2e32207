import { givenBy } from "./arguments.ts"
import { equal } from "./compare.ts"
import type { Environment, For, Identifier, Node, OpenInterpreter, Select } from "./library.ts"
import { type Host, iterate, type Text, truthy, type Value } from "./value.ts"

/** Thrown by `break` and `continue`, with what the blocks that it leaves have written. */
export class Jump {
  written = ""
  constructor(readonly kind: "Break" | "Continue") {}
}

/** An interpreter of ours: the library's, opened, with a way to open a scope. */
export interface Machine extends OpenInterpreter {
  readonly host: Host
  within(environment: Environment): Environment
}

const assign = (host: Host, target: Node, value: Value, scope: Environment): void => {
  if (target.type === "Identifier") {
    scope.setVariable((target as Identifier).value, value)
    return
  }
  const names = (target as Node & { readonly value: ReadonlyArray<Node> }).value
  const items = iterate(host, value)
  if (items.length !== names.length)
    host.run.fail(`${items.length} values cannot be unpacked into ${names.length} names`)
  for (const [at, name] of names.entries()) assign(host, name, items[at]!, scope)
}

/** `loop.changed(…)`, which remembers what it was told last. */
const changes = (host: Host): Value => {
  let last: ReadonlyArray<Value> | undefined
  return host.make.callable((args) => {
    const { positional } = givenBy(args)
    const same = last?.length === args.length && last.every((value, at) => equal(host, value, positional[at]!))
    last = positional
    return host.make.bool(!same)
  })
}

/** What a loop's body knows as `loop`. */
const loopAt = ({ run, make }: Host, items: ReadonlyArray<Value>, at: number, changed: Value): Value =>
  make.space(
    new Map<string, Value>([
      ["index", make.int(at + 1)],
      ["index0", make.int(at)],
      ["revindex", make.int(items.length - at)],
      ["revindex0", make.int(items.length - at - 1)],
      ["first", make.bool(at === 0)],
      ["last", make.bool(at === items.length - 1)],
      ["length", make.int(items.length)],
      ["previtem", items[at - 1] ?? make.missing()],
      ["nextitem", items[at + 1] ?? make.missing()],
      ["cycle", make.callable((args) => args[at % args.length] ?? run.fail("no items for cycling given"))],
      ["changed", changed]
    ])
  )

/** A turn opens a scope and makes what `loop` knows. */
const stepsOfTurn = 8

/** A loop as Python's: a scope for each item, texts and what is undefined gone through, what comes before a break kept. */
export const runLoop = (machine: Machine, node: For, environment: Environment): Text => {
  const { host } = machine
  const scopeOf = (item: Value) => {
    const scope = machine.within(environment)
    assign(host, node.loopvar, item, scope)
    return scope
  }
  const select = node.iterable.type === "SelectExpression" ? (node.iterable as Select) : undefined
  const all = iterate(host, machine.evaluate(select?.lhs ?? node.iterable, environment))
  const items = [...(select ? all.filter((item) => truthy(machine.evaluate(select.test, scopeOf(item)))) : all)]
  if (items.length === 0) return machine.evaluateBlock(node.defaultBlock, machine.within(environment))
  const changed = changes(host)
  let text = ""
  for (const [at, item] of items.entries()) {
    host.run.spend(stepsOfTurn)
    const scope = scopeOf(item)
    scope.setVariable("loop", loopAt(host, items, at, changed))
    try {
      text += machine.evaluateBlock(node.body, scope).value
    } catch (jump) {
      if (!(jump instanceof Jump)) throw jump
      text += jump.written
      if (jump.kind === "Break") break
    }
    host.run.grown(text.length)
  }
  return host.make.text(text)
}
