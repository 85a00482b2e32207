import type { For } from "./ast.ts"
import { equal } from "./compare.ts"
import { evaluate } from "./evaluate.ts"
import { assign, executeBlock, type Jump } from "./execute.ts"
import { iterate } from "./iterate.ts"
import type { Run } from "./run.ts"
import { Scope } from "./scope.ts"
import { Callable, present, Thing, truthy, Undefined, type Value } from "./value.ts"

/** What a loop's body knows as `loop`. */
class Loop extends Thing {
  readonly typeName = "LoopContext"
  at = 0
  private last: ReadonlyArray<Value> | undefined

  constructor(
    private readonly items: ReadonlyArray<Value>,
    private readonly depth: number
  ) {
    super()
  }

  attribute(name: string): Value | undefined {
    const { at, items, depth } = this
    const none = (what: string) => new Undefined(`there is no ${what} item`)
    switch (name) {
      case "index":
        return at + 1
      case "index0":
        return at
      case "revindex":
        return items.length - at
      case "revindex0":
        return items.length - at - 1
      case "first":
        return at === 0
      case "last":
        return at === items.length - 1
      case "length":
        return items.length
      case "depth":
        return depth
      case "depth0":
        return depth - 1
      case "previtem":
        return present(items[at - 1], none("previous"))
      case "nextitem":
        return present(items[at + 1], none("next"))
      case "cycle":
        return new Callable("cycle", (run, { positional }) =>
          positional.length === 0 ? run.fail("no items for cycling given") : positional[at % positional.length]!
        )
      case "changed":
        return new Callable("changed", (run, { positional }) => this.changed(run, positional))
      default:
        return undefined
    }
  }

  private changed(run: Run, values: ReadonlyArray<Value>): boolean {
    const { last } = this
    const same = last?.length === values.length && values.every((value, at) => equal(run, value, last[at]!))
    this.last = values
    return !same
  }
}

/** `loop(children)` in a recursive loop: the same loop over others, as text. */
class RecursiveLoop extends Callable {
  constructor(
    readonly loop: Loop,
    recur: (run: Run, items: Value) => string
  ) {
    super("loop", (run, { positional: [items = null] }) => recur(run, items))
  }
  attribute(name: string): Value | undefined {
    return this.loop.attribute(name)
  }
}

export const runLoop = (node: For, run: Run, scope: Scope): Jump =>
  loopOver(node, evaluate(node.items, run, scope), run, scope, 1)

const chosen = (node: For, items: ReadonlyArray<Value>, run: Run, scope: Scope): ReadonlyArray<Value> => {
  const { condition } = node
  if (condition === undefined) return Array.from(items)
  return items.filter((item) => {
    const inner = new Scope(scope)
    assign(node.target, item, run, inner)
    return truthy(evaluate(condition, run, inner))
  })
}

const loopOver = (node: For, value: Value, run: Run, scope: Scope, depth: number): Jump => {
  const items = chosen(node, iterate(run, value), run, scope)
  run.spendOnItems(items.length)
  if (items.length === 0) return executeBlock(node.otherwise, run, new Scope(scope))
  const state = new Loop(items, depth)
  const recur = (inner: Run, children: Value) =>
    inner.nested(() => inner.capture(() => void loopOver(node, children, inner, scope, depth + 1)))
  const loop = node.recursive ? new RecursiveLoop(state, recur) : state
  for (const [at, item] of items.entries()) {
    run.spend(1)
    state.at = at
    const inner = new Scope(scope)
    inner.set("loop", loop)
    assign(node.target, item, run, inner)
    if (executeBlock(node.body, run, inner) === "break") break
  }
  return undefined
}
