// y[t,n] = sum_k x[t,k] w[n,k] + bias[n], w packed [N/16][K/2] lines (format.h). Each output is one chain over pairs of K, odd
// element first, acc = fma(x0, w0, fma(x1, w1, acc)), whatever the tile; threads and tiles split N and rows, never K.
#include <algorithm>

#include "format.h"
#include "kernels.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

// What one call multiplies: `pairs` pairs of K.
template <class F> struct Problem {
  const typename F::X* x;
  size_t xStride;
  const typename F::Store* w;
  const float* bias;
  Matrix y;
  int pairs;
};

// R rows from `row`, N vectors of sixteen outputs from `column`.
template <class F, int R, int N> __attribute__((noinline)) void tile(const Problem<F>& p, int row, int column) {
  V acc[R][N];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) acc[r][v] = set(0.f);
  const size_t vectorStride = static_cast<size_t>(p.pairs) * lineElements;
  const typename F::Store* w[N];
#pragma GCC unroll 8
  for (int v = 0; v < N; v++) w[v] = p.w + static_cast<size_t>(column / lanes + v) * vectorStride;
  accumulate<F, R, N>(acc, p.x + static_cast<size_t>(row) * p.xStride, p.xStride, w, lineElements, p.pairs);
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

template <class F, int N, int R = tileRows> void tileOf(const Problem<F>& p, int rows, int row, int column) {
  if constexpr (R > 1) {
    if (rows < R) return tileOf<F, N, R - 1>(p, rows, row, column);
  }
  tile<F, R, N>(p, row, column);
}

// Rows [row, end) in as few and as even tiles as there can be: 9 rows are 5 + 4, not 8 + 1.
template <class F, int N> void rowsOf(const Problem<F>& p, int row, int end, int column) {
  for (int tiles = (end - row + tileRows - 1) / tileRows; tiles > 0; tiles--) {
    const int rows = (end - row + tiles - 1) / tiles;
    tileOf<F, N>(p, rows, row, column);
    row += rows;
  }
}

// Vectors a tile spans when all rows of the step are R: enough chains to hide their latency, and no more streams than the
// prefetchers follow well.
template <class F, int R> void fewRows(const Problem<F>& p, int column, int vectors) {
  constexpr int wide = rowVectors[R];
  int v = 0;
  for (; v + wide <= vectors; v += wide) tile<F, R, wide>(p, 0, column + v * lanes);
  if constexpr (wide >= 4) {
    for (; v + 2 <= vectors; v += 2) tile<F, R, 2>(p, 0, column + v * lanes);
  }
  for (; v < vectors; v++) tile<F, R, 1>(p, 0, column + v * lanes);
}

template <class F> void block(const Problem<F>& p, int rows, int row, int end, int column, int vectors) {
  switch (rows) {
    case 1: return fewRows<F, 1>(p, column, vectors);
    case 2: return fewRows<F, 2>(p, column, vectors);
    case 3: return fewRows<F, 3>(p, column, vectors);
    case 4: return fewRows<F, 4>(p, column, vectors);
    default: break;
  }
  int v = 0;
  for (; v + tileVectors <= vectors; v += tileVectors) rowsOf<F, tileVectors>(p, row, end, column + v * lanes);
  for (; v < vectors; v++) rowsOf<F, 1>(p, row, end, column + v * lanes);
}

// Rows of x in the format's X, padded to whole pairs: x itself where it is that already.
template <class F> void prepare(Problem<F>& p, const Matrix& x, Context& context) {
  if constexpr (sizeof(typename F::X) == sizeof(float) && F::planar) {
    if (x.columns % 2 == 0) {
      p.x = x.data;
      p.xStride = static_cast<size_t>(x.stride);
      return;
    }
  }
  p.xStride = rowStride<F>(x.columns);
  auto* to = static_cast<typename F::X*>(context.workspace(p.xStride * sizeof(typename F::X) * static_cast<size_t>(x.rows)));
  p.x = to;
  constexpr int rowsPerTask = 8;
  const auto convert = [&](int task, int) {
    const int end = (task + 1) * rowsPerTask < x.rows ? (task + 1) * rowsPerTask : x.rows;
    for (int r = task * rowsPerTask; r < end; r++)
      convertRow<F>(to + static_cast<size_t>(r) * p.xStride, x.row(r), x.columns, 2 * p.pairs);
  };
  if (x.rows <= rowsPerTask) convert(0, 0);
  else context.parallel((x.rows + rowsPerTask - 1) / rowsPerTask, convert);
}

template <class F> void run(const ops::Linear& op, Context& context) {
  const Matrix x = context.matrix(op.x);
  const Weight& weight = context.weight(op.weight);
  Problem<F> p{nullptr, 0, static_cast<const typename F::Store*>(weight.data), context.vector(op.bias), context.matrix(op.y), (x.columns + 1) / 2};
  if (x.rows == 0) return;
  prepare<F>(p, x, context);
  // A block of x stays in the second-level cache while the weights pass by.
  const int blockRows = x.columns > 2048 ? 48 : 240;
  const int vectors = (p.y.columns + lanes - 1) / lanes;
  const int wide = x.rows <= 4 ? (rowVectors[x.rows] > tileVectors ? rowVectors[x.rows] : tileVectors) : tileVectors;
  // A task reads an eighth of a thread's share of the weights: long runs keep the prefetchers going, short ones share out evenly.
  const int64_t groupBytes = static_cast<int64_t>(wide) * p.pairs * static_cast<int64_t>(lineElements * sizeof(typename F::Store));
  const int64_t share = packedLinearBytes(p.y.columns, x.columns, weight.dtype) / (8 * context.threads());
  const int perTask = wide * static_cast<int>(1 + std::clamp<int64_t>(share, 65536, 524288) / (groupBytes + 1));
  const int columnTasks = (vectors + perTask - 1) / perTask;
  const int blocks = (x.rows + blockRows - 1) / blockRows;
  context.parallel(blocks * columnTasks, [&](int task, int) {
    const int row = task / columnTasks * blockRows, first = task % columnTasks * perTask;
    const int end = row + blockRows < x.rows ? row + blockRows : x.rows;
    block<F>(p, x.rows, row, end, first * lanes, perTask < vectors - first ? perTask : vectors - first);
  });
}

}  // namespace

void linear(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::Linear*>(raw);
  switch (context.weight(op.weight).dtype) {
    case ops::Dtype::float32: return run<Float32>(op, context);
    case ops::Dtype::bfloat16: return run<Bfloat16>(op, context);
    case ops::Dtype::float16: return run<Float16>(op, context);
  }
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
