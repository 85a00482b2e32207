// Writing one token's K and V of one head into its cell.
#pragma once
#include "kvCell.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

constexpr int maxHeadDim = 1024;

// k [keyDim] and v [valueDim], float32. The first slot of a block clears the cells first: what an earlier owner left there
// would else be multiplied by a masked key's zero, and a NaN survives that. So the tokens of a block must come in order.
template <class F> inline void writeToken(const Cells<F>& cells, int64_t slot, int head, const float* k, const float* v) {
  using Store = typename F::Store;
  const KvLayer& layer = cells.layer;
  const int64_t block = slot / layer.blockSize;
  const int offset = static_cast<int>(slot % layer.blockSize);
  Store *key = cells.key(block, head), *value = cells.value(block, head);
  if (offset == 0) {
    std::memset(key, 0, static_cast<size_t>(kvCellBytes(layer.keyDim, layer.blockSize, layer.dtype)));
    std::memset(value, 0, static_cast<size_t>(kvCellBytes(layer.valueDim, layer.blockSize, layer.dtype)));
  }
  alignas(64) Store row[maxHeadDim];
  const auto narrow = [&](const float* x, int n) {
    for (int i = 0; i < n; i += lanes) F::narrow(row + i, loadPart(x + i, n - i));
  };
  narrow(k, layer.keyDim);
  for (int d = 0; d < layer.keyDim; d++) key[cells.keyAt(offset, d)] = row[d];
  if constexpr (F::planar) {  // sixteen columns of a token lie side by side; those past the last are padding
    for (int e = 0; e < layer.valueDim; e += lanes) F::narrow(value + cells.valueAt(offset, e), loadPart(v + e, layer.valueDim - e));
  } else {
    narrow(v, layer.valueDim);
    for (int e = 0; e < layer.valueDim; e++) value[cells.valueAt(offset, e)] = row[e];
  }
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
