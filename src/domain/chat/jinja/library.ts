import type { Callable, Dict, Float, Int, List, Missing, None, Space, Text, Value } from "./value.ts"

/** A token of the library's lexer; its parser reads nothing but these two. */
export interface Token {
  readonly type: string
  readonly value: string
}

/** A node of the library's tree. Of most kinds we read nothing. */
export interface Node {
  readonly type: string
}
type Nodes = ReadonlyArray<Node>
export interface Program extends Node {
  readonly body: Nodes
}
export interface Identifier extends Node {
  readonly value: string
}
export interface For extends Node {
  readonly loopvar: Node
  readonly iterable: Node
  readonly body: Nodes
  readonly defaultBlock: Nodes
}
/** `lhs if test`: a choice without else, and what a loop with a condition goes over. */
export interface Select extends Node {
  readonly lhs: Node
  readonly test: Node
}
export interface Macro extends Node {
  readonly name: Identifier
  readonly body: Nodes
}
export interface Member extends Node {
  readonly object: Node
  readonly property: Node
  /** `object[property]` rather than `object.property`. */
  readonly computed: boolean
}
export interface Binary extends Node {
  readonly operator: Token
  readonly left: Node
  readonly right: Node
}
export interface Test extends Node {
  readonly operand: Node
  readonly negate: boolean
  readonly test: Identifier
}
export interface Call extends Node {
  readonly callee: Node
  readonly args: Nodes
}

/** Names and their values, within those of the parent. */
export interface Environment {
  readonly parent?: Environment
  readonly variables: ReadonlyMap<string, Value>
  set(name: string, value: unknown): Value
  setVariable(name: string, value: Value): Value
}

/** The library's interpreter with what it hides from TypeScript: it calls all of these through `this`. */
export interface OpenInterpreter {
  /** The outermost names. */
  readonly global: Environment
  evaluate(node: Node | undefined, environment: Environment): Value
  evaluateBlock(nodes: Nodes, environment: Environment): Text
  evaluateFor(node: For, environment: Environment): Value
  evaluateMacro(node: Macro, environment: Environment): Value
  evaluateIdentifier(node: Identifier, environment: Environment): Value
  evaluateBinaryExpression(node: Binary, environment: Environment): Value
  evaluateMemberExpression(node: Member, environment: Environment): Value
  evaluateSliceExpression(owner: Value, slice: Node, environment: Environment): Value
  evaluateTestExpression(node: Test, environment: Environment): Value
  evaluateArguments(args: Nodes, environment: Environment): [Array<Value>, Map<string, Value>]
  applyFilter(operand: Value, filter: Node, environment: Environment): Value
}

/** What we use of `@huggingface/jinja`. Layers hand it in: the domain imports no package. */
export interface Library {
  readonly tokenize: (
    source: string,
    options: { readonly trim_blocks: true; readonly lstrip_blocks: true }
  ) => Array<Token>
  readonly parse: (tokens: Array<Token>) => Program
  readonly Environment: new (parent?: Environment) => Environment
  readonly Interpreter: new (environment: Environment) => OpenInterpreter
}

/** Makers of the library's values. */
export interface Make {
  readonly text: (value: string) => Text
  readonly int: (value: number) => Int
  readonly float: (value: number) => Float
  readonly bool: (value: boolean) => Value
  readonly list: (value: Array<Value>) => List
  readonly tuple: (value: Array<Value>) => List
  readonly dict: (value: Map<string, Value>) => Dict
  readonly space: (value: Map<string, Value>) => Space
  readonly callable: (value: Callable["value"]) => Callable
  readonly none: () => None
  readonly missing: () => Missing
}

/** The library does not export its classes of values: they are had from values that it makes. */
export const makersOf = ({ Environment, Interpreter }: Library): Make => {
  const environment = new Environment()
  const like =
    <A extends Value>(sample: Value) =>
    (value?: A["value"]): A =>
      new (sample.constructor as new (value?: A["value"]) => A)(value)
  const of = <A extends Value>(value: unknown, at: number) => like<A>(environment.set(`sample ${at}`, value))
  const tuple: Node & { readonly value: Nodes } = { type: "TupleLiteral", value: [] }
  const namespace = environment.variables.get("namespace") as Callable
  const none = of<None>(null, 7)
  return {
    text: of<Text>("", 0),
    int: of<Int>(1, 1),
    float: of<Float>(0.5, 2),
    bool: of(true, 3),
    list: of<List>([], 4),
    dict: of<Dict>({}, 5),
    callable: of<Callable>(() => null, 6),
    none: () => none(null),
    missing: of<Missing>(undefined, 8),
    tuple: like<List>(new Interpreter(environment).evaluate(tuple, environment)),
    space: like<Space>(namespace.value([], environment))
  }
}
