// The seam between the runtime (who calls) and the kernels (who compute). No Node, no allocation policy, no files.
//
// A kernel gets its op struct and a Context. It resolves its operands, splits its work into tiles and hands those to
// `parallel`; when `parallel` returns, the op is complete. Every compute thread runs with FTZ and DAZ set.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "ops.h"

namespace millrace {

inline constexpr int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }
inline constexpr int32_t dtypeBytes(ops::Dtype dtype) { return dtype == ops::Dtype::float32 ? 4 : 2; }

// A resolved activation operand: float32, `stride` floats from one row to the next, data 4-byte aligned (a view may begin
// at any column).
struct Matrix {
  float* data;
  int64_t stride;
  int32_t rows, columns;
  float* row(int64_t r) const { return data + r * stride; }
};

enum class WeightKind : int32_t { linear, table, vector };

// linear: [ceil(N/16)] panels of 16 outputs in `dtype`, N and K padded with zeros, from a page's start; only the kernels look inside
// (cpu/kernels/linearFormat.h).
// table: row-major [rows][columns] in `dtype`, perhaps mapped from the file; aligned to its element.
// vector: `columns` float32 values (rows is 1, dtype float32).
struct Weight {
  WeightKind kind;
  ops::Dtype dtype;
  int32_t rows, columns;
  const void* data;
};

inline constexpr int64_t packedLinearBytes(int64_t rows, int64_t columns, ops::Dtype dtype) {
  return roundUp(rows, 16) * roundUp(columns, dtype == ops::Dtype::bfloat16 ? 32 : 2) * dtypeBytes(dtype);
}

// Bytes of the cell that holds the K (or V) of one block and one kv head: dims are padded to 16. The layout inside the cell
// belongs to the kernels; copying a block copies whole cells. A cell is a multiple of 64 bytes: blockSize is one of 16.
inline constexpr int64_t kvCellBytes(int64_t dim, int64_t blockSize, ops::Dtype dtype) {
  return roundUp(dim, 16) * roundUp(blockSize, 16) * dtypeBytes(dtype);
}

// K and V of one layer of one cache group: [block][kvHead] cells, block 0 the null block (zeros, never written).
// Fresh memory is zero.
struct KvLayer {
  std::byte* keys;
  std::byte* values;
  int32_t kvHeads, keyDim, valueDim, blockSize, blocks;
  ops::Dtype dtype;
  std::byte* keyCell(int64_t block, int64_t head) const {
    return keys + (block * kvHeads + head) * kvCellBytes(keyDim, blockSize, dtype);
  }
  std::byte* valueCell(int64_t block, int64_t head) const {
    return values + (block * kvHeads + head) * kvCellBytes(valueDim, blockSize, dtype);
  }
};

struct StepGroup {
  const int32_t* slots;             // [T] block * blockSize + offset
  const int32_t* blockTables;       // block ids, one sequence after another
  const int32_t* blockTableStarts;  // [S + 1]
};

// What rows ask to be done to their logits: RowEdits of domain/batch/step.ts, where every array is explained.
struct StepEdits {
  const int32_t* mask;     // [R] into masks, or -1
  const int32_t* allowed;  // [R] into masks, or -1
  const uint32_t* masks;   // [M][words]
  int32_t words;           // ceil(vocabulary / 32)
  const int32_t *biasStarts, *biasIds;
  const float* biasValues;
  const int32_t *badWordStarts, *badWords;
  const float *repetition, *presence, *frequency;  // [R]
  const int32_t *historyStarts, *history, *promptCounts;
};

struct StepRows {  // all [R]; see domain/batch/step.ts
  const int32_t* index;
  const int32_t* target;
  const int32_t* logprobs;
  const float* temperature;
  const int32_t* topK;
  const float* topP;
  const float* minP;
  const uint32_t* seed;  // [2R] low, high
  const uint32_t* outputIndex;
  const StepEdits* edits = nullptr;  // null: no row asks for any
};

// One step, checked: every index is in range. T tokens of S sequences, R output rows.
struct StepView {
  int32_t tokenCount, sequenceCount, rowCount, groupCount;
  const int32_t* tokens;          // [T] ids; drawn tokens already put in
  const int32_t* positions;       // [T]
  const int32_t* sequenceStarts;  // [S + 1]
  const int32_t* contextLengths;  // [S] this step's tokens included
  const StepGroup* groups;
  StepRows rows;
  const int32_t* tokenTypes;  // [T]; null: all 0
  const int32_t* carries;     // [S] a sequence's row of `sums`, or -1; null: all -1
  float* sums;                // [maxSequences][sumWidth], kept from step to step
  int32_t sumWidth;
};

// What the sampler writes; row r of the step is row r here. `top` columns a row, filled with -1 and 0 before it runs.
struct StepOutput {
  int32_t top;
  int32_t* tokens;       // [R]
  float* logprobs;       // [R]
  int32_t* ranks;        // [R]
  uint8_t* faults;       // [R]
  int32_t* topTokens;    // [R][top]
  float* topLogprobs;    // [R][top]
};

// The threads that compute. run() calls task(state, tile, thread) once for every tile in [0, tiles), thread in
// [0, threads()), the calling thread among them, and returns when all have returned. Tasks must not throw.
class Parallel {
 public:
  using Task = void (*)(void* state, int tile, int thread);
  virtual ~Parallel() = default;
  virtual int threads() const = 0;
  virtual void run(int tiles, Task task, void* state) = 0;
};

// Reusable aligned memory: one buffer a thread, and one for the op as a whole.
class Scratch {
 public:
  virtual ~Scratch() = default;
  virtual void* forThread(int thread, size_t bytes) = 0;
  virtual void* forOp(size_t bytes) = 0;
};

struct SlotView {
  float* data;
  int32_t width;
  bool outputs;  // a row an output row of the slab, else a row a token
};

// What a kernel sees of the step and the model. Made by the runtime; plain pointers, owned elsewhere.
struct Context {
  const StepView* step;
  const SlotView* slots;
  const Weight* weights;
  const KvLayer* const* kvGroups;  // [group][layer]
  Parallel* pool;
  Scratch* memory;
  // The rows that this instruction runs over: all T tokens, or in the head the output rows [rowStart, rowStart + rows).
  int32_t rows;
  int32_t rowStart;

  static bool present(const ops::Operand& operand) { return operand.kind != 0; }

  Matrix matrix(const ops::Operand& operand) const {
    const SlotView& slot = slots[operand.index];
    // A token slot read from the head (gatherRows' x) has all T rows.
    const int32_t count = slot.outputs ? rows : step->tokenCount;
    return {slot.data + operand.column, slot.width, count, operand.columns};
  }
  const Weight& weight(const ops::Operand& operand) const { return weights[operand.index]; }
  // A float32 vector's values; null when the operand is absent.
  const float* vector(const ops::Operand& operand) const {
    return present(operand) ? static_cast<const float*>(weights[operand.index].data) : nullptr;
  }
  const KvLayer& kv(int32_t group, int32_t layer) const { return kvGroups[group][layer]; }

  int threads() const { return pool->threads(); }
  // fn(tile, thread) for every tile; returns when all are done. Tiles go to whoever is free: results must not depend on it.
  template <class F>
  void parallel(int tiles, F&& fn) const {
    using Function = std::remove_reference_t<F>;
    pool->run(
        tiles, [](void* state, int tile, int thread) { (*static_cast<Function*>(state))(tile, thread); },
        const_cast<void*>(static_cast<const void*>(&fn)));
  }
  // At least `bytes`, 64-byte aligned, contents undefined. The thread's buffer is good until its next scratch(); the op's,
  // which all threads may read, until the op returns. workspace() is called outside `parallel` only, once an op.
  void* scratch(int thread, size_t bytes) const { return memory->forThread(thread, bytes); }
  void* workspace(size_t bytes) const { return memory->forOp(bytes); }
};

// `op` is the struct of ops.h that belongs to the kernel's op, checked against the plan's tables when it was loaded.
using KernelFn = void (*)(const void* op, Context& context);

// Source rows of a linear weight: element (r, k) at data + (r * rowStride + k * columnStride) elements, aligned to its element.
struct PackSource {
  const void* data;
  ops::Dtype dtype;
  int64_t rowStride, columnStride;
  int32_t rows, columns;
};

// Writes `source` as rows [row, row + source.rows) of a packed linear of `dtype` and source.columns columns (see Weight),
// whose memory was zero. Called from several threads at once with disjoint rows. Rounds to nearest even.
using PackFn = void (*)(const PackSource& source, int32_t row, ops::Dtype dtype, void* packed);

// Samples output rows [firstRow, firstRow + logits.rows) of the step: logits.row(r) belongs to output row firstRow + r. It may
// overwrite the logits. Runs after the head's last instruction of a slab, on the step's thread, and may call context.parallel.
using SampleFn = void (*)(const Matrix& logits, int32_t firstRow, StepOutput& output, Context& context);

// Reads K [keyDim] and V [valueDim] of one token and kv head back as float32; for tests.
using ReadKvFn = void (*)(const KvLayer& layer, int64_t slot, int32_t head, float* key, float* value);

struct KernelTable {
  const char* isa;  // "amx", "avx512bf16", "avx512", "avx2", "portable"
  KernelFn kernels[ops::opCount];
  PackFn pack;
  SampleFn sample;
  ReadKvFn readKv;
};

// The best table that this CPU runs; `forced` (or, when null, the environment's MILLRACE_ISA) names one instead. Throws
// std::invalid_argument for a name that does not exist or that the CPU cannot run. Written in cpu/dispatch.cpp.
const KernelTable& selectKernels(const char* forced);

}  // namespace millrace
