// How K and V lie in a cell (one block of one kv head), for a tile's eye: lines of format.h.
//   K: [blockSize/16][ceil(D/2)] lines, a line 16 tokens x one pair of columns: scores sum over D as a linear sums over K.
//   V: [blockSize/2][ceil(E/16)] lines, a line one pair of tokens x 16 columns: outputs sum over tokens the same way.
#pragma once
#include "format.h"
#include "../../context.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

template <class F> struct Cells {
  using Store = typename F::Store;
  const KvLayer& layer;

  int keyPairs() const { return (layer.keyDim + 1) / 2; }
  int valueVectors() const { return (layer.valueDim + lanes - 1) / lanes; }
  Store* key(int64_t block, int head) const { return reinterpret_cast<Store*>(layer.keyCell(block, head)); }
  Store* value(int64_t block, int head) const { return reinterpret_cast<Store*>(layer.valueCell(block, head)); }
  // Elements of the lines of sixteen tokens.
  size_t keyGroup() const { return static_cast<size_t>(keyPairs()) * lineElements; }
  size_t valueGroup() const { return static_cast<size_t>(valueVectors()) * 8 * lineElements; }

  size_t keyAt(int offset, int d) const {
    return static_cast<size_t>(offset / lanes) * keyGroup() + static_cast<size_t>(d / 2) * lineElements + within<F>(offset % lanes, d % 2);
  }
  size_t valueAt(int offset, int e) const {
    return static_cast<size_t>(offset / 2 * valueVectors() + e / lanes) * lineElements + within<F>(e % lanes, offset % 2);
  }
};

// visit(Format{}) with the format of a dtype.
template <class Visit> inline void withFormat(ops::Dtype dtype, Visit&& visit) {
  switch (dtype) {
    case ops::Dtype::float32: return visit(Float32{});
    case ops::Dtype::bfloat16: return visit(Bfloat16{});
    case ops::Dtype::float16: return visit(Float16{});
  }
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
