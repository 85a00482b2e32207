// A plan as the runtime walks it: decoded from words and checked once, so that no kernel checks again.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "context.h"

namespace millrace {

struct SlotSpec {
  bool outputs;
  int32_t width;
  int64_t offset;  // bytes a row of capacity
};

// Rows [rowStart, rowStart + rows) of a stored tensor [tensorRows, tensorColumns] in a file. Transposed: the tensor is
// [K, N] and rows count N.
struct SegmentSpec {
  int32_t file;
  int64_t offset, bytes;
  ops::Dtype storage;
  int64_t tensorRows, tensorColumns;
  int32_t rowStart, rows;
  bool transposed;
};

struct WeightSpec {
  std::string name;
  WeightKind kind;
  ops::Dtype dtype;
  int32_t rows, columns;
  std::vector<SegmentSpec> segments;
  std::vector<float> constant;  // when there are no segments
};

struct GroupSpec {
  int32_t layers, kvHeads, keyDim, valueDim;
  ops::Dtype dtype;
  int32_t window;
};

struct PlanSpec {
  std::vector<int32_t> words;
  int32_t headStart;
  std::vector<SlotSpec> slots;
  int64_t tokenBytes, outputBytes;
  std::vector<WeightSpec> weights;
  std::vector<GroupSpec> groups;
  ops::Operand logits;  // kind 0: the plan pools
  int32_t vocabSize;
  // A pooler's heads: one over a sequence's rows and one over single tokens', which begins at instruction eachStart.
  ops::Operand pooled, each;
  int32_t eachStart = std::numeric_limits<int32_t>::max();
  int32_t carryWidth = 0;  // columns of the running sums that are kept between steps; 0: none
};

struct Capacity {
  int32_t maxTokens, maxSequences, blocks, blockSize;
};

struct Instruction {
  ops::Op op;
  const void* record;  // the op's struct, inside the plan's words
};

struct Program {
  std::vector<int32_t> words;
  std::vector<Instruction> body, head, eachHead;
  // What a step may name: ids of every token table and positions of every position table lie below these.
  int32_t tokenLimit = std::numeric_limits<int32_t>::max();
  int32_t positionLimit = std::numeric_limits<int32_t>::max();
  int32_t typeLimit = std::numeric_limits<int32_t>::max();
  // Some op looks at all tokens of a sequence at once: a step must hold them.
  bool whole = false;
};

// Throws PlanError, naming instruction and operand, when anything is not what the ops allow.
Program decode(const PlanSpec& spec, const Capacity& capacity);

}  // namespace millrace
