import type { Given } from "./arguments.ts"
import type { Block, Expression, Macro, Statement, Target } from "./ast.ts"
import { call, evaluate, evaluateArguments } from "./evaluate.ts"
import { iterate } from "./iterate.ts"
import { runLoop } from "./loop.ts"
import { makeMacro } from "./macro.ts"
import type { Run } from "./run.ts"
import { Scope } from "./scope.ts"
import { show } from "./show.ts"
import { Namespace, truthy, type Value } from "./value.ts"

/** How a block ended early; undefined when it ran to its end. */
export type Jump = "break" | "continue" | undefined

export const executeBlock = (block: Block, run: Run, scope: Scope): Jump => {
  for (const statement of block) {
    const jump = execute(statement, run, scope)
    if (jump !== undefined) return jump
  }
  return undefined
}

type Of<Kind extends Statement["kind"]> = Extract<Statement, { readonly kind: Kind }>

const execute = (node: Statement, run: Run, scope: Scope): Jump => {
  run.spend(1)
  run.line = node.line
  switch (node.kind) {
    case "text":
      run.write(node.text)
      return undefined
    case "print":
      run.write(show(run, evaluate(node.value, run, scope)))
      return undefined
    case "if":
      return executeBlock(truthy(evaluate(node.test, run, scope)) ? node.yes : node.no, run, scope)
    case "for":
      return runLoop(node, run, scope)
    case "set":
      assign(node.target, evaluate(node.value, run, scope), run, scope)
      return undefined
    case "capture":
      capture(node, run, scope)
      return undefined
    case "macro":
      scope.set(node.name, makeMacro(node, scope))
      return undefined
    case "callBlock":
      callBlock(node.call, node.caller, run, scope)
      return undefined
    case "with":
      return executeWith(node, run, scope)
    default:
      return node.kind
  }
}

export const assign = (target: Target, value: Value, run: Run, scope: Scope): void => {
  if (target.kind === "name") {
    scope.set(target.name, value)
    return
  }
  if (target.kind === "member") {
    const owner = scope.get(target.name)
    if (!(owner instanceof Namespace)) run.fail("cannot assign attribute on non-namespace object")
    else owner.attributes.set(target.attribute, value)
    return
  }
  const items = iterate(run, value)
  const { length } = target.items
  if (items.length !== length) run.fail(`${items.length} values cannot be unpacked into ${length} names`)
  for (const [at, item] of target.items.entries()) assign(item, items[at]!, run, scope)
}

/** Filters after a block's text: the innermost has no target of its own. */
const filtered = (filters: Expression, text: string, run: Run, scope: Scope): Value => {
  const place = (node: Expression): Expression =>
    node.kind === "filter"
      ? {
          ...node,
          target: node.target === undefined ? { kind: "const", line: node.line, value: text } : place(node.target)
        }
      : node
  return evaluate(place(filters), run, scope)
}

const capture = ({ target, filters, body }: Of<"capture">, run: Run, scope: Scope): void => {
  const text = run.capture(() => void executeBlock(body, run, new Scope(scope)))
  const value = filters === undefined ? text : filtered(filters, text, run, scope)
  if (target === undefined) run.write(show(run, value))
  else assign(target, value, run, scope)
}

/** Calls a macro that finds the block's body under the name `caller`. */
const callBlock = (node: Of<"callBlock">["call"], body: Macro, run: Run, scope: Scope): void => {
  const given = evaluateArguments(node.args, run, scope)
  const named = new Map(given.named).set("caller", makeMacro(body, scope))
  const withCaller: Given = { positional: given.positional, named }
  run.write(show(run, call(run, node.line, evaluate(node.callee, run, scope), withCaller)))
}

const executeWith = ({ bindings, body }: Of<"with">, run: Run, scope: Scope): Jump => {
  const inner = new Scope(scope)
  for (const [target, value] of bindings) assign(target, evaluate(value, run, scope), run, inner)
  return executeBlock(body, run, inner)
}
