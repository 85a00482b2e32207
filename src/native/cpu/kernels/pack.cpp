// Packing of a linear's weights into the lines of format.h: [ceil(N/16)][ceil(K/2)] lines. Row n of the weight is lane n % 16.
#include "format.h"
#include "kernels.h"
#include "kvCell.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

constexpr int chunk = 256;  // columns converted at a time

// `count` elements of a row from column k, widened to float32.
template <class S> void widenRow(float* to, const PackSource& source, int r, int k, int count) {
  const auto* p = static_cast<const typename S::Store*>(source.data) + r * source.rowStride + k * source.columnStride;
  alignas(64) typename S::Store row[chunk];
  for (int i = 0; i < count; i++) row[i] = p[i * source.columnStride];
  for (int i = count; i % lanes != 0; i++) row[i] = 0;
  for (int i = 0; i < count; i += lanes) store(to + i, S::widen(row + i));
}

template <class S, class F> void packRow(const PackSource& source, int r, int row, typename F::Store* packed) {
  using Store = typename F::Store;
  const size_t pairs = static_cast<size_t>((source.columns + 1) / 2);
  Store* to = packed + static_cast<size_t>(row / lanes) * pairs * lineElements;
  alignas(64) float wide[chunk];
  alignas(64) Store narrow[chunk];
  for (int k = 0; k < source.columns; k += chunk) {
    const int count = source.columns - k < chunk ? source.columns - k : chunk;
    widenRow<S>(wide, source, r, k, count);
    for (int i = 0; i < count; i += lanes) F::narrow(narrow + i, load(wide + i));
    for (int i = 0; i < count; i++)
      to[static_cast<size_t>((k + i) / 2) * lineElements + Cells<F>::within(row % lanes, i % 2)] = narrow[i];
  }
}

// Sixteen rows of the same dtype, contiguous columns: a cache line is written whole, four bytes (a pair) from each row.
template <class F> void packSixteen(const PackSource& source, int r, int row, typename F::Store* packed) {
  using Store = typename F::Store;
  const int pairs = (source.columns + 1) / 2;
  Store* to = packed + static_cast<size_t>(row / lanes) * static_cast<size_t>(pairs) * lineElements;
  const Store* from[lanes];
  for (int j = 0; j < lanes; j++) from[j] = static_cast<const Store*>(source.data) + (r + j) * source.rowStride;
  for (int k = 0; k < source.columns / 2; k++, to += lineElements)
    for (int j = 0; j < lanes; j++) {
      to[Cells<F>::within(j, 0)] = from[j][2 * k];
      to[Cells<F>::within(j, 1)] = from[j][2 * k + 1];
    }
  if (source.columns % 2 != 0)
    for (int j = 0; j < lanes; j++) to[Cells<F>::within(j, 0)] = from[j][source.columns - 1];
}

}  // namespace

void pack(const PackSource& source, int32_t row, ops::Dtype dtype, void* packed) {
  withFormat(dtype, [&](auto to) {
    using F = decltype(to);
    auto* out = static_cast<typename F::Store*>(packed);
    int r = 0;
    while (r < source.rows) {
      if (source.dtype == dtype && source.columnStride == 1 && (row + r) % lanes == 0 && r + lanes <= source.rows) {
        packSixteen<F>(source, r, row + r, out);
        r += lanes;
        continue;
      }
      withFormat(source.dtype, [&](auto from) { packRow<decltype(from), F>(source, r, row + r, out); });
      r++;
    }
  });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
