import * as Either from "effect/Either"
import { mark, type Pickled, type PickleHost, PickleMachine } from "./pickleMachine.ts"
import { PickleReader } from "./pickleReader.ts"

type Operation = (machine: PickleMachine, reader: PickleReader) => void

const tuple =
  (count: number): Operation =>
  (m) =>
    m.push(m.popMany(count))

/** By opcode, as CPython's pickletools lists them: those that data of protocols 2 to 5 is made of. */
const operations: Readonly<Record<number, Operation>> = {
  128: (_, r) => void r.u8(), // PROTO
  149: (_, r) => void r.u64(), // FRAME
  40: (m) => m.push(mark), // MARK
  48: (m) => void m.pop(), // POP
  49: (m) => void m.popToMark(), // POP_MARK
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  74: (m, r) => m.push(r.i32()), // BININT
  75: (m, r) => m.push(r.u8()), // BININT1
  77: (m, r) => m.push(r.u16()), // BININT2
  138: (m, r) => m.push(r.long(r.u8())), // LONG1
  71: (m, r) => m.push(r.f64()), // BINFLOAT
  88: (m, r) => m.push(r.text(r.u32())), // BINUNICODE
  140: (m, r) => m.push(r.text(r.u8())), // SHORT_BINUNICODE
  84: (m, r) => m.push(r.text(r.u32())), // BINSTRING
  85: (m, r) => m.push(r.text(r.u8())), // SHORT_BINSTRING
  66: (m, r) => m.push(r.take(r.u32())), // BINBYTES
  67: (m, r) => m.push(r.take(r.u8())), // SHORT_BINBYTES
  125: (m) => m.push(new Map()), // EMPTY_DICT
  93: (m) => m.push([]), // EMPTY_LIST
  41: (m) => m.push([]), // EMPTY_TUPLE
  116: (m) => m.push(m.popToMark()), // TUPLE
  133: tuple(1),
  134: tuple(2),
  135: tuple(3),
  97: (m) => {
    // APPEND
    const value = m.pop()
    m.append([value])
  },
  101: (m) => m.append(m.popToMark()), // APPENDS
  115: (m) => m.setItems(m.popMany(2)), // SETITEM
  117: (m) => m.setItems(m.popToMark()), // SETITEMS
  104: (m, r) => m.get(r.u8()), // BINGET
  106: (m, r) => m.get(r.u32()), // LONG_BINGET
  113: (m, r) => m.put(r.u8()), // BINPUT
  114: (m, r) => m.put(r.u32()), // LONG_BINPUT
  148: (m) => m.memoize(), // MEMOIZE
  99: (m, r) => m.global(r.line(), r.line()), // GLOBAL
  147: (m) => {
    // STACK_GLOBAL
    const [module, name] = m.popMany(2)
    m.global(module, name)
  },
  82: (m) => m.call(m.pop(), m.pop()), // REDUCE
  81: (m) => m.persistent(), // BINPERSID
  98: (m) => m.build() // BUILD
}

/** The operation STOP. */
const stop = 46

const run = (reader: PickleReader, machine: PickleMachine): Pickled => {
  for (;;) {
    const code = reader.u8()
    if (code === stop) return machine.pop()
    const operation = operations[code]
    if (operation === undefined)
      throw new Error(`it uses the pickle operation 0x${code.toString(16)}, which no table of tensors needs`)
    operation(machine, reader)
  }
}

/** Reads a pickle as data. Nothing is imported and nothing is run: a call reaches the host, which knows a handful. */
export const unpickle = (bytes: Uint8Array, host: PickleHost): Either.Either<Pickled, string> =>
  Either.map(unpickleAll(bytes, host, 1), ({ values }) => values[0])

/** Reads so many pickles, one behind the other; `end` is where the last one ends. */
export const unpickleAll = (
  bytes: Uint8Array,
  host: PickleHost,
  count: number
): Either.Either<{ readonly values: ReadonlyArray<Pickled>; readonly end: number }, string> => {
  try {
    const reader = new PickleReader(bytes)
    const values = Array.from({ length: count }, () => run(reader, new PickleMachine(host)))
    return Either.right({ values, end: reader.position })
  } catch (fault) {
    return Either.left(fault instanceof Error ? fault.message : String(fault))
  }
}
