import type { Environment, Make } from "./library.ts"
import type { Run } from "./run.ts"

interface Of<Type extends string, Content> {
  readonly type: Type
  readonly value: Content
  /** The library's own methods. */
  readonly builtins: ReadonlyMap<string, Value>
  __bool__(): { readonly value: boolean }
}

export type Text = Of<"StringValue", string>
export type Int = Of<"IntegerValue", number>
export type Float = Of<"FloatValue", number>
export type Bool = Of<"BooleanValue", boolean>
export type None = Of<"NullValue", null>
export type Missing = Of<"UndefinedValue", undefined>
export type List = Of<"ArrayValue", Array<Value>> | Of<"TupleValue", Array<Value>>
/** The second is how named arguments arrive: as the last of all. */
export type Dict = Of<"ObjectValue", Map<string, Value>> | Of<"KeywordArgumentsValue", Map<string, Value>>
export type Space = Of<"NamespaceValue", Map<string, Value>>
export type Callable = Of<"FunctionValue", (args: Array<Value>, environment: Environment) => Value>

/** The library's values, as Python's they stand for. */
export type Value = Text | Int | Float | Bool | None | Missing | List | Dict | Space | Callable

/** What every operation of a rendering needs. */
export interface Host {
  readonly run: Run
  readonly make: Make
}

const typeNames: Readonly<Record<Value["type"], string>> = {
  StringValue: "str",
  IntegerValue: "int",
  FloatValue: "float",
  BooleanValue: "bool",
  NullValue: "NoneType",
  UndefinedValue: "Undefined",
  ArrayValue: "list",
  TupleValue: "tuple",
  ObjectValue: "dict",
  KeywordArgumentsValue: "dict",
  NamespaceValue: "Namespace",
  FunctionValue: "function"
}
/** Python's name of a value's type, for messages. */
export const typeName = (value: Value): string => typeNames[value.type]

export const isText = (value: Value | undefined): value is Text => value?.type === "StringValue"
export const isFloat = (value: Value): value is Float => value.type === "FloatValue"
export const isList = (value: Value): value is List => value.type === "ArrayValue" || value.type === "TupleValue"
export const isDict = (value: Value): value is Dict => value.type === "ObjectValue"
export const isMissing = (value: Value | undefined): boolean => value === undefined || value.type === "UndefinedValue"
export const truthy = (value: Value | undefined): boolean => value?.__bool__().value === true

/** The number that a value counts as; booleans are 0 and 1. */
export const numberOf = (value: Value | undefined): number | undefined => {
  if (value?.type === "IntegerValue" || value?.type === "FloatValue") return value.value
  return value?.type === "BooleanValue" ? Number(value.value) : undefined
}

/** Accounts for an operation that goes through a value. */
export const spendOnValue = ({ run }: Host, value: Value): void => {
  if (isText(value)) run.spendOn(value.value.length)
  else run.spendOnItems(isList(value) ? value.value.length : isDict(value) ? value.value.size : 1)
}

/** What a loop over the value goes through: items, keys, characters; nothing for what is undefined. */
export const iterate = ({ run, make }: Host, value: Value): ReadonlyArray<Value> => {
  if (isMissing(value)) return []
  if (isText(value)) run.spendOnItems(value.value.length)
  else spendOnValue({ run, make }, value)
  if (isList(value)) return value.value
  if (isDict(value)) return Array.from(value.value.keys(), make.text)
  return isText(value) ? Array.from(value.value, make.text) : run.fail(`'${typeName(value)}' object is not iterable`)
}
