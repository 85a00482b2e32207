import { dtypes } from "../tensor/dtype.ts"
import { activations } from "./activation.ts"
import { opNames, opRecord } from "./table.ts"

const capital = (name: string) => name[0]!.toUpperCase() + name.slice(1)
const cTypes = { i32: "int32_t", f32: "float", dtype: "Dtype" } as const

const struct = (name: (typeof opNames)[number]): string => {
  const record = opRecord(name)
  const operands = Object.entries({ ...record.outputs, ...record.inputs })
  const lines = [
    ...operands.map(([key, type]) => `  Operand ${key};  // ${type}`),
    ...Object.entries(record.attributes).map(([key, type]) => `  ${cTypes[type]} ${key};`)
  ]
  return `// ${record.doc}\nstruct ${capital(name)} {\n  static constexpr Op op = Op::${name};\n${lines.join("\n")}\n};`
}

/** FNV-1a over every op's operands and attributes: a CUDA module built from another table must not be handed instructions. */
const tableHash = (): string => {
  const layout = opNames.map((name) => [name, opRecord(name).outputs, opRecord(name).inputs, opRecord(name).attributes])
  let hash = 0x811c9dc5
  for (const character of JSON.stringify([dtypes, activations, layout]))
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  return `0x${(hash >>> 0).toString(16).padStart(8, "0")}u`
}

/** The C++ side of the op table: what the native backends implement. `npm run generate:ops` writes it to src/native/ops.h. */
export const header = (): string => `// GENERATED from src/domain/ops by \`npm run generate:ops\`. Do not edit.
#pragma once
#include <cstdint>

namespace millrace::ops {

enum class Dtype : int32_t { ${dtypes.join(", ")} };
enum class ActivationKind : int32_t { ${activations.join(", ")} };
enum class Op : int32_t { ${opNames.join(", ")} };
constexpr int32_t opCount = ${opNames.length};
// Changes with any op's operands or attributes: both sides of the CUDA module's boundary compare it.
constexpr uint32_t tableHash = ${tableHash()};

// kind 0: absent. kind 1: columns [column, column + columns) of arena slot \`index\`. kind 2: entry \`index\` of the weight table.
struct Operand {
  int32_t kind, index, column, columns;
};

// An instruction is [op, words of the struct] and then the struct's words, all 32 bits wide.

${opNames.map(struct).join("\n\n")}

// Calls visit(opStruct) with the struct type of \`op\`; false when there is no such op.
template <class Visit>
bool dispatch(Op op, Visit&& visit) {
  switch (op) {
${opNames.map((name) => `    case Op::${name}: visit(static_cast<const ${capital(name)}*>(nullptr)); return true;`).join("\n")}
  }
  return false;
}

}  // namespace millrace::ops
`
