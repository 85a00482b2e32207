#include "device.h"
#include "kernels.h"

namespace millrace::cuda {
namespace {

// One block a token; threads stride over H. y[T,H] float32, table[V,H] in its storage dtype.
__global__ void embedRow(DeviceMatrix y, DeviceMatrix table, const int32_t* index, int32_t offset, float scale) {
  const int64_t from = (static_cast<int64_t>(index[blockIdx.x]) + offset) * table.stride;
  float* out = row(y, blockIdx.x);
  for (int h = threadIdx.x; h < y.columns; h += blockDim.x) out[h] = load(table.data, table.dtype, from + h) * scale;
}

}  // namespace

// Ids and positions are in range: the engine admits no request whose ids are not below the table's rows.
Refusal launch(const ops::Embed& op, const DeviceMatrix* m, const DeviceStep& step) {
  const DeviceMatrix &y = m[0], &table = m[1];
  if (table.columns != y.columns) return "embed: y[T,H] and table[V,H] differ in H";
  if (y.rows != step.tokenCount) return "embed: y[T,H] has not one row a token of the step";
  const int32_t* index = op.source == 0 ? step.tokenIds : op.source == 1 ? step.positions : step.tokenTypes;
  if (y.rows > 0) MILLRACE_LAUNCH(embedRow, y.rows, threadsFor(y.columns), y, table, index, op.offset, op.scale);
  return nullptr;
}

}  // namespace millrace::cuda
