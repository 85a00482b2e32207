// bfloat16 linears on Intel's AMX: one tdpbf16ps multiplies 16 rows of x and 16 outputs over a block of 32 columns, in the order
// that kernels/linearFormat.h spells; a block of a panel is a tile register as it lies. Everything else, and steps of so few rows
// that reading the weights is all they do, belongs to the avx512 family.
#include <immintrin.h>

#include <algorithm>
#include <array>

#include "../kernels/kernels.h"
#include "../kernels/linearFormat.h"
#include "../kernels/linearTasks.h"

namespace millrace::cpu {
namespace avx512 {
void linear(const void* op, Context& context);
}

namespace amx {
namespace {

constexpr int registerRows = 16;
constexpr int passRows = 2 * registerRows;
constexpr int fewRows = 4;
constexpr int blockLines = Bfloat16Linear::blockLines, blockColumns = Bfloat16Linear::columnUnit;
constexpr size_t registerElements = blockLines * lineElements;
constexpr int64_t xBytes = 3 << 18;  // of rows that stay in a core's second-level cache: beside them go weights and sums
constexpr int aheadLines = 8;        // how far a single pass fetches ahead of itself

// Sixteen rows by 32 columns after another are what a register loads: x is [pass][block][passRows][32]. Rows past the last hold
// anything, and so do their sums, which nobody reads.
struct Problem {
  const uint16_t* x;
  const uint16_t* w;
  const float* bias;
  Matrix y;
  int blocks;
  const uint16_t* pass(int row) const { return x + static_cast<size_t>(row) * static_cast<size_t>(blocks * blockColumns); }
  const uint16_t* panel(int i) const { return w + static_cast<size_t>(i) * static_cast<size_t>(blocks) * registerElements; }
};

// Whole lines at once, by an instruction that every processor with AMX has. It rounds as roundBfloat16 does.
__attribute__((target("avx512bf16"))) void convertRow(uint16_t* x, int row, const float* from, int columns, int blocks) {
  uint16_t* to = x + (static_cast<size_t>(row / passRows * blocks) * passRows + static_cast<size_t>(row % passRows)) * blockColumns;
  for (int k = 0; k < columns; k += blockColumns, to += passRows * blockColumns) {
    const V low = loadPart(from + k, columns - k), high = loadPart(from + k + lanes, std::max(columns - k - lanes, 0));
    _mm512_store_si512(to, (__m512i)_mm512_cvtne2ps_pbh(high.v, low.v));
  }
}

struct alignas(64) TileConfiguration {
  uint8_t palette, startRow, reserved[14];
  uint16_t rowBytes[16];
  uint8_t rows[16];
};
// Tiles 0 to 3 are sums, 4 and 5 rows of x, 6 and 7 weights: by the rows that there are, so that no others are loaded. Constants, since
// the compiler does not see that ldtilecfg reads all of one.
constexpr auto configurations = [] {
  std::array<TileConfiguration, registerRows + 1> all{};
  for (uint8_t n = 1; n <= registerRows; n++) all[n] = {1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {n, n, n, n, n, n, registerRows, registerRows}};
  return all;
}();

// A task has the tile registers from its begin to its end.
struct TileRegisters {
  explicit TileRegisters(int rows) { _tile_loadconfig(&configurations[static_cast<size_t>(std::min(rows, registerRows))]); }
  ~TileRegisters() { _tile_release(); }
  TileRegisters(const TileRegisters&) = delete;
};

// Of two panels side by side, `lines` lines of each are fetched at each block.
struct Fetch {
  const uint16_t* at;
  size_t panel;
  int lines;
  MILLRACE_INLINE void block() {
    for (int i = 0; i < lines; i++, at += lineElements) {
      prefetch(at);
      prefetch(at + panel);
    }
  }
};

// sums of H registers of rows from `row` by N panels from `panel`.
template <int N, int H> void multiply(float (&sums)[N][passRows][lanes], const Problem& p, int row, int panel, Fetch fetch) {
  const uint16_t *x = p.pass(row), *left = p.panel(panel), *right = p.panel(panel + N - 1);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int block = 0; block < p.blocks; block++, x += 2 * registerElements, left += registerElements, right += registerElements) {
    fetch.block();
    _tile_loadd(4, x, 64);
    _tile_loadd(6, left, 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (N == 2) {
      _tile_loadd(7, right, 64);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (H == 2) {
      _tile_loadd(5, x + registerElements, 64);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (N == 2) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums[0][0], 64);
  if constexpr (N == 2) _tile_stored(1, sums[1][0], 64);
  if constexpr (H == 2) {
    _tile_stored(2, sums[0][registerRows], 64);
    if constexpr (N == 2) _tile_stored(3, sums[1][registerRows], 64);
  }
}

// Rows [row, end), at most passRows, by N panels.
template <int N> void pass(const Problem& p, int row, int end, int panel, Fetch fetch) {
  alignas(64) float sums[N][passRows][lanes];
  if (end - row <= registerRows) multiply<N, 1>(sums, p, row, panel, fetch);
  else multiply<N, 2>(sums, p, row, panel, fetch);
  for (int i = 0; i < N; i++) {
    const int column = (panel + i) * lanes, count = p.y.columns - column;
    const V bias = p.bias ? loadPart(p.bias + column, count) : set(0.f);
    for (int r = row; r < end; r++) {
      const V sum = load(sums[i][r - row]);
      storePart(p.y.row(r) + column, p.bias ? sum + bias : sum, count);
    }
  }
}

// A single pass waits for memory and fetches a little ahead of itself; of several each fetches its share of the next two panels.
void passes(const Problem& p, Range rows, Range panels) {
  const int count = (rows.count() + passRows - 1) / passRows;
  const int lines = (blockLines + count - 1) / count;
  const size_t panelElements = static_cast<size_t>(p.blocks) * registerElements;
  for (int panel = panels.begin; panel < panels.end; panel += 2)
    for (int i = 0; i < count; i++) {
      const int row = rows.begin + i * passRows, end = std::min(row + passRows, rows.end);
      const uint16_t* at = count == 1 ? p.panel(panel) + aheadLines * lineElements
                                      : p.panel(panel + 2) + static_cast<size_t>(i * p.blocks * lines) * lineElements;
      if (panel + 1 < panels.end) pass<2>(p, row, end, panel, {at, panelElements, lines});
      else pass<1>(p, row, end, panel, {at, panelElements, lines});
    }
}

void run(const ops::Linear& op, const Matrix& x, const Weight& weight, Context& context) {
  const int blocks = paddedColumns<Bfloat16Linear>(x.columns) / blockColumns;
  const int64_t rowBytes = int64_t{blocks} * blockColumns * static_cast<int64_t>(sizeof(uint16_t));
  auto* converted = static_cast<uint16_t*>(context.workspace(static_cast<size_t>(roundUp(x.rows, passRows) * rowBytes)));
  eachRow(context, x.rows, x.columns, [&](int r) { convertRow(converted, r, x.row(r), x.columns, blocks); });
  const Problem p{converted, static_cast<const uint16_t*>(weight.data), context.vector(op.bias), context.matrix(op.y), blocks};
  const auto most = std::max<int64_t>(xBytes / rowBytes / passRows, 1) * passRows;
  const LinearTasks tasks({x.rows, static_cast<int>(most), passRows}, weight, 2);
  context.parallel(tasks.count(), [&](int task, int) {
    const Range rows = tasks.rows(task);
    const TileRegisters registers(rows.count());
    passes(p, rows, tasks.panels(task));
  });
}

}  // namespace

void linear(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::Linear*>(raw);
  const Matrix x = context.matrix(op.x);
  const Weight& weight = context.weight(op.weight);
  if (weight.dtype != ops::Dtype::bfloat16 || x.rows <= fewRows) return avx512::linear(raw, context);
  run(op, x, weight, context);
}

}  // namespace amx
}  // namespace millrace::cpu
