import { getAttribute, getItem, getSlice } from "./access.ts"
import type { Given } from "./arguments.ts"
import { arithmetic } from "./arithmetic.ts"
import type { Arguments, Expression } from "./ast.ts"
import { keyOf } from "./compare.ts"
import { applyFilter } from "./filters/table.ts"
import { iterate } from "./iterate.ts"
import { holds, unary } from "./operators.ts"
import type { Run } from "./run.ts"
import type { Scope } from "./scope.ts"
import { show } from "./show.ts"
import { applyTest } from "./tests.ts"
import { Callable, type Dict, Tuple, truthy, typeName, Undefined, type Value } from "./value.ts"

/** An expression's value. Each node costs a step; what fails names the node's line. */
export const evaluate = (node: Expression, run: Run, scope: Scope): Value => {
  run.spend(1)
  run.line = node.line
  switch (node.kind) {
    case "const":
      return node.value
    case "name":
      return look(scope, node.name)
    case "list":
      return node.items.map((item) => evaluate(item, run, scope))
    case "tuple":
      return Tuple.from(node.items, (item) => evaluate(item, run, scope)) as Tuple
    case "dict":
      return makeDict(node, run, scope)
    case "attribute":
      return at(run, node.line, getAttribute(run, evaluate(node.target, run, scope), node.name))
    case "item":
      return getItem(run, evaluate(node.target, run, scope), evaluate(node.key, run, scope))
    case "slice":
      return getSlice(
        run,
        evaluate(node.target, run, scope),
        node.bounds.map((bound) => bound && evaluate(bound, run, scope))
      )
    case "concat":
      return run.text(node.parts.map((part) => show(run, evaluate(part, run, scope))).join(""))
    case "and":
    case "or":
      return either(node, run, scope)
    case "choice":
      return choose(node, run, scope)
    default:
      return operate(node, run, scope)
  }
}

const look = (scope: Scope, name: string): Value => {
  const value = scope.get(name)
  return value === undefined ? new Undefined(`'${name}' is undefined`) : value
}

type Of<Kind extends Expression["kind"]> = Extract<Expression, { readonly kind: Kind }>

/** The rest of the kinds: what computes with its operands. */
const operate = (
  node: Of<"call" | "filter" | "test" | "unary" | "binary" | "compare">,
  run: Run,
  scope: Scope
): Value => {
  switch (node.kind) {
    case "call":
      return call(run, node.line, evaluate(node.callee, run, scope), evaluateArguments(node.args, run, scope))
    case "filter": {
      const target = node.target === undefined ? "" : evaluate(node.target, run, scope)
      const given = evaluateArguments(node.args, run, scope)
      run.line = node.line
      return applyFilter(run, node.name, target, given)
    }
    case "test": {
      const target = evaluate(node.target, run, scope)
      return applyTest(run, node.name, target, evaluateArguments(node.args, run, scope)) !== node.negated
    }
    case "unary":
      return unary(run, node.operator, evaluate(node.operand, run, scope))
    case "binary": {
      const left = evaluate(node.left, run, scope)
      const right = evaluate(node.right, run, scope)
      run.line = node.line
      return arithmetic(run, node.operator, left, right)
    }
    case "compare":
      return compare(node, run, scope)
  }
}

const at = (run: Run, line: number, value: Value): Value => {
  run.line = line
  return value
}

const makeDict = (node: Of<"dict">, run: Run, scope: Scope): Dict => {
  const dict: Dict = new Map()
  for (const [key, value] of node.entries) dict.set(keyOf(run, evaluate(key, run, scope)), evaluate(value, run, scope))
  return dict
}

const either = (node: Of<"and" | "or">, run: Run, scope: Scope): Value => {
  const left = evaluate(node.left, run, scope)
  return truthy(left) === (node.kind === "or") ? left : evaluate(node.right, run, scope)
}

const choose = (node: Of<"choice">, run: Run, scope: Scope): Value => {
  if (truthy(evaluate(node.test, run, scope))) return evaluate(node.yes, run, scope)
  return node.no === undefined
    ? new Undefined("the inline if-expression was false and has no else")
    : evaluate(node.no, run, scope)
}

/** `a < b < c` asks both. */
const compare = (node: Of<"compare">, run: Run, scope: Scope): boolean => {
  let left = evaluate(node.first, run, scope)
  for (const [operator, operand] of node.rest) {
    const right = evaluate(operand, run, scope)
    run.line = node.line
    if (!holds(run, operator, left, right)) return false
    left = right
  }
  return true
}

export const evaluateArguments = (args: Arguments, run: Run, scope: Scope): Given => {
  const positional = args.positional.map((item) => evaluate(item, run, scope))
  const named = new Map(args.named.map(([name, value]) => [name, evaluate(value, run, scope)] as const))
  if (args.rest !== undefined) for (const item of iterate(run, evaluate(args.rest, run, scope))) positional.push(item)
  if (args.restNamed === undefined) return { positional, named }
  const more = evaluate(args.restNamed, run, scope)
  if (!(more instanceof Map)) return run.fail(`argument after ** must be a mapping, not ${typeName(more)}`)
  for (const [key, value] of more) named.set(String(key), value)
  return { positional, named }
}

export const call = (run: Run, line: number, callee: Value, given: Given): Value => {
  run.line = line
  if (callee instanceof Callable) return callee.call(run, given)
  return run.fail(callee instanceof Undefined ? callee.problem : `'${typeName(callee)}' object is not callable`)
}
