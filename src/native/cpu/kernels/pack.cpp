// Packing of a linear's weights into the panels of linearFormat.h. Row n of the weight is lane n % 16 of panel n / 16.
#include "kernels.h"
#include "kvCell.h"
#include "linearFormat.h"

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

template <class L> typename L::Store* panelOf(const PackSource& source, int row, void* packed) {
  const auto elements = static_cast<size_t>(paddedColumns<L>(source.columns)) * lanes;
  return static_cast<typename L::Store*>(packed) + static_cast<size_t>(row / lanes) * elements;
}

template <class S, class L> void packRow(const PackSource& source, int r, int row, void* packed) {
  using Store = typename L::Store;
  Store* to = panelOf<L>(source, row, packed);
  alignas(64) float wide[chunk];
  alignas(64) Store narrow[chunk];
  for (int k = 0; k < source.columns; k += chunk) {
    const int count = source.columns - k < chunk ? source.columns - k : chunk;
    widenRow<S>(wide, source, r, k, count);
    for (int i = 0; i < count; i += lanes) L::narrow(narrow + i, load(wide + i));
    for (int i = 0; i < count; i++) to[L::at(row % lanes, k + i)] = narrow[i];
  }
}

// Sixteen rows of the same dtype, contiguous columns: four lines at a time, so that each cache line is written whole.
template <class L> void packSixteen(const PackSource& source, int r, int row, void* packed) {
  using Store = typename L::Store;
  Store* to = panelOf<L>(source, row, packed);
  const Store* from[lanes];
  for (int lane = 0; lane < lanes; lane++) from[lane] = static_cast<const Store*>(source.data) + (r + lane) * source.rowStride;
  int k = 0;
  for (; k + 4 <= source.columns; k += 4, to += 2 * lineElements)
    for (int lane = 0; lane < lanes; lane++)
      for (int i = 0; i < 4; i++) to[L::at(lane, i)] = from[lane][k + i];
  for (int lane = 0; lane < lanes; lane++)
    for (int i = 0; k + i < source.columns; i++) to[L::at(lane, i)] = from[lane][k + i];
}

}  // namespace

void pack(const PackSource& source, int32_t row, ops::Dtype dtype, void* packed) {
  withLinearFormat(dtype, [&](auto to) {
    using L = decltype(to);
    int r = 0;
    while (r < source.rows) {
      if (source.dtype == dtype && source.columnStride == 1 && (row + r) % lanes == 0 && r + lanes <= source.rows) {
        packSixteen<L>(source, r, row + r, packed);
        r += lanes;
        continue;
      }
      withFormat(source.dtype, [&](auto from) { packRow<decltype(from), L>(source, r, row + r, packed); });
      r++;
    }
  });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
