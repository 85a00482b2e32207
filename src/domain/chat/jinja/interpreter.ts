import { getAttribute, getItem } from "./access.ts"
import { givenBy } from "./arguments.ts"
import { applyByName, type Held, type Theirs } from "./filters/apply.ts"
import type {
  Binary,
  Call,
  Environment,
  For,
  Identifier,
  Library,
  Macro,
  Member,
  Node,
  OpenInterpreter,
  Program,
  Test
} from "./library.ts"
import { Jump, type Machine, runLoop } from "./loop.ts"
import { countNodes } from "./nodes.ts"
import { operate } from "./operators.ts"
import { show } from "./show.ts"
import { applyTest } from "./tests.ts"
import { type Callable, type Host, spendOnValue, type Text, type Value } from "./value.ts"

/** Statements that print nothing; the value of any other is its text. */
const silent: ReadonlySet<string> = new Set(["Set", "Macro", "Comment"])
export type Start = (
  environment: Environment,
  host: Host,
  /** Lines of the template at which nodes stand. */
  lines: ReadonlyMap<Node, number>
) => OpenInterpreter

/** The library's interpreter, mended where it differs from Python's, and bounded: each node costs a step. */
export const interpreterOf = ({ Interpreter, Environment }: Library): Start => {
  class PythonInterpreter extends Interpreter implements Machine {
    constructor(
      environment: Environment,
      readonly host: Host,
      readonly lines: ReadonlyMap<Node, number>
    ) {
      super(environment)
    }

    within(environment: Environment): Environment {
      return new Environment(environment)
    }

    override evaluate(node: Node | undefined, environment: Environment): Value {
      const { run } = this.host
      run.spend(1)
      if (node === undefined) return super.evaluate(node, environment)
      run.line = this.lines.get(node) ?? run.line
      // The library looks through the whole of these for the names that they use.
      if (node.type === "Macro" || node.type === "CallStatement") run.spend(countNodes(node))
      if (node.type === "Break" || node.type === "Continue") throw new Jump(node.type)
      return node.type === "Held" ? (node as Held).held : super.evaluate(node, environment)
    }

    override evaluateBlock(nodes: Program["body"], environment: Environment): Text {
      const { run, make } = this.host
      let text = ""
      for (const node of nodes) {
        try {
          const value = this.evaluate(node, environment)
          if (!silent.has(node.type)) text += run.text(show(this.host, value))
        } catch (jump) {
          if (jump instanceof Jump) jump.written = text + jump.written
          throw jump
        }
        run.grown(text.length)
      }
      return make.text(text)
    }

    override evaluateFor(node: For, environment: Environment): Value {
      return runLoop(this, node, environment)
    }

    /** A macro sees the names around its definition; the library shows it those around its call. */
    override evaluateMacro(node: Macro, environment: Environment): Value {
      const { run, make } = this.host
      const nothing = super.evaluateMacro(node, environment)
      const { value: call } = environment.variables.get(node.name.value) as Callable
      const lexical = (args: Array<Value>, around: Environment) => {
        const { line } = run
        const scope = this.within(environment)
        scope.setVariable("caller", around.variables.get("caller") ?? make.missing())
        const text = run.nested(() => call(args, scope))
        run.line = line
        return text
      }
      environment.setVariable(node.name.value, make.callable(lexical))
      return nothing
    }

    /** The library throws, and catches, an error for each name that is not there. */
    override evaluateIdentifier({ value: name }: Identifier, environment: Environment): Value {
      // Each of the library's scopes has one of its own, which counts nothing.
      if (name === "namespace") environment = this.global
      for (let at: Environment | undefined = environment; at !== undefined; at = at.parent) {
        const value = at.variables.get(name)
        if (value !== undefined) return value
      }
      return this.host.make.missing()
    }

    override evaluateBinaryExpression(node: Binary, environment: Environment): Value {
      const { value: operator } = node.operator
      if (operator === "and" || operator === "or") return super.evaluateBinaryExpression(node, environment)
      return operate(this.host, operator, this.evaluate(node.left, environment), this.evaluate(node.right, environment))
    }

    override evaluateMemberExpression({ object, property, computed }: Member, environment: Environment): Value {
      const { host } = this
      const owner = this.evaluate(object, environment)
      if (property.type === "SliceExpression") {
        spendOnValue(host, owner)
        return this.evaluateSliceExpression(owner, property, environment)
      }
      if (computed) return getItem(host, owner, this.evaluate(property, environment))
      const { type, value } = property as Node & { readonly value: string | number }
      return getAttribute(
        host,
        owner,
        type === "Identifier" ? host.make.text(`${value}`) : host.make.int(Number(value))
      )
    }

    override evaluateTestExpression({ operand, negate, test }: Test, environment: Environment): Value {
      const holds = applyTest(this.host, test.value, this.evaluate(operand, environment))
      return this.host.make.bool(holds !== negate)
    }

    override evaluateArguments(args: Program["body"], environment: Environment): [Array<Value>, Map<string, Value>] {
      const [positional, named] = super.evaluateArguments(args, environment)
      this.host.run.spendOnItems(positional.length + named.size)
      return [positional, named]
    }

    override applyFilter(operand: Value, filter: Node, environment: Environment): Value {
      const theirs: Theirs = (value, node) => super.applyFilter(value, node, environment)
      if (filter.type === "Identifier")
        return applyByName(this.host, (filter as Identifier).value, operand, givenBy([]), theirs)
      const { callee, args } = filter as Call
      const [positional, named] = this.evaluateArguments(args, environment)
      return applyByName(this.host, (callee as Identifier).value, operand, { positional, named }, theirs)
    }
  }
  return (environment, host, lines) => new PythonInterpreter(environment, host, lines)
}
