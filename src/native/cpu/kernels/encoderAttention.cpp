// Bidirectional attention over the sequences of a step. Their K and V are put into cells as a cache has them, in blocks of
// sixteen tokens that only this op sees, and read by the kernel that reads the cache.
#include "attend.h"
#include "kernels.h"
#include "kvWrite.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

constexpr int cellTokens = lanes;

// Where the op's own cells and tables lie in its workspace. Block 0 is the null block, as in a cache.
struct Room {
  int blocks = 1;
  size_t keyBytes, valueBytes, tableBytes, startBytes;

  Room(const StepView& step, const ops::EncoderAttention& op) {
    for (int s = 0; s < step.sequenceCount; s++) blocks += (step.contextLengths[s] + cellTokens - 1) / cellTokens;
    const auto cells = static_cast<size_t>(blocks) * static_cast<size_t>(op.kvHeads);
    keyBytes = cells * static_cast<size_t>(kvCellBytes(op.headDim, cellTokens, op.dtype));
    valueBytes = cells * static_cast<size_t>(kvCellBytes(op.valueDim, cellTokens, op.dtype));
    tableBytes = lines(static_cast<size_t>(blocks));
    startBytes = lines(static_cast<size_t>(step.sequenceCount) + 1);
  }
  static size_t lines(size_t words) { return (words * sizeof(int32_t) + 63) / 64 * 64; }
  size_t bytes() const { return keyBytes + valueBytes + tableBytes + startBytes; }
};

// Sequence s has the blocks from 1 + starts[s] on: one after another, so that its table is a run of numbers.
void fillTables(const StepView& step, int blocks, int32_t* tables, int32_t* starts) {
  for (int b = 1; b < blocks; b++) tables[b - 1] = b;
  starts[0] = 0;
  for (int s = 0; s < step.sequenceCount; s++) starts[s + 1] = starts[s] + (step.contextLengths[s] + cellTokens - 1) / cellTokens;
}

// Writes the tokens of one block of one sequence; the first of them clears its cells.
template <class F> void writeBlock(const StepView& step, const Cells<F>& cells, const Matrix& k, const Matrix& v, const int32_t* starts, int block) {
  int s = 0;
  for (int high = step.sequenceCount; high - s > 1;) {  // starts[s] <= block < starts[high]
    const int middle = (s + high) / 2;
    if (starts[middle] <= block) s = middle;
    else high = middle;
  }
  const int first = step.sequenceStarts[s] + (block - starts[s]) * cellTokens;
  const int end = first + cellTokens < step.sequenceStarts[s + 1] ? first + cellTokens : step.sequenceStarts[s + 1];
  const KvLayer& layer = cells.layer;
  for (int t = first; t < end; t++)
    for (int head = 0; head < layer.kvHeads; head++)
      writeToken(cells, static_cast<int64_t>(block + 1) * cellTokens + (t - first), head, k.row(t) + head * layer.keyDim, v.row(t) + head * layer.valueDim);
}

template <class F> void run(const ops::EncoderAttention& op, Context& context) {
  const StepView& step = *context.step;
  const Room room(step, op);
  KvLayer layer{nullptr, nullptr, op.kvHeads, op.headDim, op.valueDim, cellTokens, room.blocks, op.dtype};
  Job<F> job{context,  Cells<F>{layer}, context.matrix(op.q),    context.matrix(op.y), nullptr, nullptr, {false, 0, op.reach},
             op.scale, op.kvHeads,      op.heads / op.kvHeads, op.headDim,           op.valueDim};
  const Division<F> division(job);
  auto* memory = static_cast<char*>(context.workspace(room.bytes() + division.bytes()));
  layer.keys = reinterpret_cast<std::byte*>(memory);
  layer.values = layer.keys + room.keyBytes;
  auto* tables = reinterpret_cast<int32_t*>(memory + room.keyBytes + room.valueBytes);
  auto* starts = reinterpret_cast<int32_t*>(memory + room.keyBytes + room.valueBytes + room.tableBytes);
  fillTables(step, room.blocks, tables, starts);
  std::memset(layer.keys, 0, room.keyBytes / static_cast<size_t>(room.blocks));
  std::memset(layer.values, 0, room.valueBytes / static_cast<size_t>(room.blocks));
  const Matrix k = context.matrix(op.k), v = context.matrix(op.v);
  context.parallel(room.blocks - 1, [&](int block, int) { writeBlock(step, job.cells, k, v, starts, block); });
  job.blockTables = tables;
  job.blockTableStarts = starts;
  attend(job, division, memory + room.bytes());
}

}  // namespace

void encoderAttention(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::EncoderAttention*>(raw);
  withFormat(op.dtype, [&](auto format) { run<decltype(format)>(op, context); });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
