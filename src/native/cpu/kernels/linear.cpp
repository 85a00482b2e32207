// y[t,n] = sum_k x[t,k] w[n,k] + bias[n], in the order that linearFormat.h spells, whatever the tile; threads and tiles split N and
// rows, never K.
#include <algorithm>

#include "kernels.h"
#include "linearFormat.h"
#include "linearTasks.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

// What one call multiplies: panels of `lines` lines.
template <class F> struct Problem {
  const typename F::X* x;
  size_t xStride;
  const typename F::Store* w;
  const float* bias;
  Matrix y;
  int lines;
  const typename F::Store* panel(int i) const { return w + static_cast<size_t>(i) * static_cast<size_t>(lines) * lineElements; }
};

// The only tile of rows reads every weight from memory: it fetches along its own N streams, and past their ends along the next N.
template <class F, int N> struct FetchOwn {
  const typename F::Store* w;
  int lines;
  MILLRACE_INLINE void operator()(int line) const {
    const int ahead = line + linesAhead<typename F::Store>;
    const auto at = static_cast<size_t>(ahead < lines ? ahead : ahead + (N - 1) * lines);
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) prefetchLine<F>(w + (static_cast<size_t>(v) * static_cast<size_t>(lines) + at) * lineElements);
  }
};

// Of several tiles of rows the first N each fetch one panel of those that come after these; null: nothing.
template <class F> struct FetchNext {
  const typename F::Store* w;
  MILLRACE_INLINE void operator()(int line) const {
    if (w) prefetchLine<F>(w + static_cast<size_t>(line) * lineElements);
  }
};

// R rows from `row`, N vectors of sixteen outputs from `column`.
template <class F, int R, int N, class Fetch> __attribute__((noinline)) void tile(const Problem<F>& p, int row, int column, Fetch fetch) {
  V acc[R][N];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) acc[r][v] = set(0.f);
  const typename F::Store* w[N];
#pragma GCC unroll 8
  for (int v = 0; v < N; v++) w[v] = p.panel(column / lanes + v);
  F::multiply(acc, p.x + static_cast<size_t>(row) * p.xStride, p.xStride, w, p.lines, fetch);
  if (p.bias) {
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) {
      const V b = loadPart(p.bias + column + v * lanes, p.y.columns - column - v * lanes);
#pragma GCC unroll 8
      for (int r = 0; r < R; r++) acc[r][v] = acc[r][v] + b;
    }
  }
  const bool whole = column + N * lanes <= p.y.columns;
#pragma GCC unroll 8
  for (int r = 0; r < R; r++) {
    float* to = p.y.data + (row + r) * p.y.stride + column;
#pragma GCC unroll 8
    for (int v = 0; v < N; v++)
      if (whole) store(to + v * lanes, acc[r][v]);
      else storePart(to + v * lanes, acc[r][v], p.y.columns - column - v * lanes);
  }
}

template <class F, int R, int N> void onlyTile(const Problem<F>& p, int column) {
  tile<F, R, N>(p, 0, column, FetchOwn<F, N>{p.panel(column / lanes), p.lines});
}

// All rows are R, one tile: it spans enough vectors to hide the latency of their chains, and no more streams than the prefetchers
// follow well.
template <class F, int R = F::tile.rows> void fewRows(const Problem<F>& p, int rows, int column, int vectors) {
  if constexpr (R > 1) {
    if (rows < R) return fewRows<F, R - 1>(p, rows, column, vectors);
  }
  constexpr int wide = F::tile.alone[R];
  int v = 0;
  for (; v + wide <= vectors; v += wide) onlyTile<F, R, wide>(p, column + v * lanes);
  if constexpr (wide >= 4) {
    for (; v + 2 <= vectors; v += 2) onlyTile<F, R, 2>(p, column + v * lanes);
  }
  for (; v < vectors; v++) onlyTile<F, R, 1>(p, column + v * lanes);
}

// More rows than one tile has are never divided into tiles of less than half of it.
template <class F, int N, int R = F::tile.rows> void tileOf(const Problem<F>& p, int rows, int row, int column, FetchNext<F> fetch) {
  if constexpr (R > F::tile.rows / 2) {
    if (rows < R) return tileOf<F, N, R - 1>(p, rows, row, column, fetch);
  }
  tile<F, R, N>(p, row, column, fetch);
}

// Rows [row, end) in as few and as even tiles as there can be: 9 rows are 5 + 4, not 8 + 1.
template <class F, int N> void rowsOf(const Problem<F>& p, int row, int end, int column) {
  const int tiles = (end - row + F::tile.rows - 1) / F::tile.rows;
  for (int t = 0; t < tiles; t++) {
    const int rows = (end - row + tiles - t - 1) / (tiles - t);
    tileOf<F, N>(p, rows, row, column, {t < N ? p.panel(column / lanes + N + t) : nullptr});
    row += rows;
  }
}

template <class F> void manyRows(const Problem<F>& p, int row, int end, int column, int vectors) {
  int v = 0;
  constexpr int wide = F::tile.vectors;
  for (; v + wide <= vectors; v += wide) rowsOf<F, wide>(p, row, end, column + v * lanes);
  for (; v < vectors; v++) rowsOf<F, 1>(p, row, end, column + v * lanes);
}

// Rows of x in the format's X, padded to whole lines: x itself where it is that already.
template <class F> void prepare(Problem<F>& p, const Matrix& x, Context& context) {
  const int padded = paddedColumns<F>(x.columns);
  if constexpr (sizeof(typename F::X) == sizeof(float) && F::planar) {
    if (x.columns == padded) {
      p.x = x.data;
      p.xStride = static_cast<size_t>(x.stride);
      return;
    }
  }
  p.xStride = rowStride<F>(padded);
  auto* to = static_cast<typename F::X*>(context.workspace(p.xStride * sizeof(typename F::X) * static_cast<size_t>(x.rows)));
  p.x = to;
  eachRow(context, x.rows, x.columns, [&](int r) { convertRow<F>(to + static_cast<size_t>(r) * p.xStride, x.row(r), x.columns, padded); });
}

template <class F> void run(const ops::Linear& op, Context& context) {
  const Matrix x = context.matrix(op.x);
  const Weight& weight = context.weight(op.weight);
  if (x.rows == 0) return;
  Problem<F> p{nullptr, 0, static_cast<const typename F::Store*>(weight.data), context.vector(op.bias), context.matrix(op.y), paddedColumns<F>(x.columns) / 2};
  prepare<F>(p, x, context);
  const bool few = x.rows <= F::tile.rows;
  // A block of x stays in the second-level cache while the weights pass by.
  const LinearTasks tasks({x.rows, x.columns > 2048 ? 48 : 240, 1}, weight, few ? F::tile.alone[x.rows] : F::tile.vectors);
  context.parallel(tasks.count(), [&](int task, int) {
    const Range rows = tasks.rows(task), panels = tasks.panels(task);
    if (few) fewRows<F>(p, x.rows, panels.begin * lanes, panels.count());
    else manyRows<F>(p, rows.begin, rows.end, panels.begin * lanes, panels.count());
  });
}

}  // namespace

void linear(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::Linear*>(raw);
  withLinearFormat(context.weight(op.weight).dtype, [&](auto format) { run<decltype(format)>(op, context); });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
