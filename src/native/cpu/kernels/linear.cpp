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
  // The lines of the i-th sixteen outputs.
  const typename F::Store* vector(int i) const { return w + static_cast<size_t>(i) * static_cast<size_t>(pairs) * lineElements; }
};

// How far ahead a tile fetches weights that it reads from memory. Less than a page: farther on, an Intel core's own prefetcher, which
// then sees nothing but hits, stops helping (Sapphire Rapids, 2 threads: 29 GB/s unfetched, 34 at 3 KB, 32 from 4 KB on).
constexpr int fetchBytes = 3072;

// The only tile of rows reads every weight from memory: it fetches along its own N streams, and past their ends along the next N.
template <class F, int N> struct FetchOwn {
  const typename F::Store* w;
  int pairs;
  void operator()(int k) const {
    constexpr int lines = fetchBytes / static_cast<int>(lineElements * sizeof(typename F::Store));
    const auto at = static_cast<size_t>(k + lines < pairs ? k + lines : k + lines + (N - 1) * pairs);
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) prefetchLine<F>(w + (static_cast<size_t>(v) * static_cast<size_t>(pairs) + at) * lineElements);
  }
};

// Of several tiles of rows the first N each fetch one vector of the weights that come after these; null: nothing.
template <class F> struct FetchNext {
  const typename F::Store* w;
  void operator()(int k) const {
    if (w) prefetchLine<F>(w + static_cast<size_t>(k) * lineElements);
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
  for (int v = 0; v < N; v++) w[v] = p.vector(column / lanes + v);
  accumulate<F, R, N>(acc, p.x + static_cast<size_t>(row) * p.xStride, p.xStride, w, lineElements, p.pairs, fetch);
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
  tile<F, R, N>(p, 0, column, FetchOwn<F, N>{p.vector(column / lanes), p.pairs});
}

// All rows are R, one tile: it spans enough vectors to hide the latency of their chains, and no more streams than the prefetchers
// follow well.
template <class F, int R = tileRows> void fewRows(const Problem<F>& p, int rows, int column, int vectors) {
  if constexpr (R > 1) {
    if (rows < R) return fewRows<F, R - 1>(p, rows, column, vectors);
  }
  constexpr int wide = rowVectors[R];
  int v = 0;
  for (; v + wide <= vectors; v += wide) onlyTile<F, R, wide>(p, column + v * lanes);
  if constexpr (wide >= 4) {
    for (; v + 2 <= vectors; v += 2) onlyTile<F, R, 2>(p, column + v * lanes);
  }
  for (; v < vectors; v++) onlyTile<F, R, 1>(p, column + v * lanes);
}

// More rows than one tile has are never divided into tiles of less than half of it.
template <class F, int N, int R = tileRows> void tileOf(const Problem<F>& p, int rows, int row, int column, FetchNext<F> fetch) {
  if constexpr (R > tileRows / 2) {
    if (rows < R) return tileOf<F, N, R - 1>(p, rows, row, column, fetch);
  }
  tile<F, R, N>(p, row, column, fetch);
}

// Rows [row, end) in as few and as even tiles as there can be: 9 rows are 5 + 4, not 8 + 1.
template <class F, int N> void rowsOf(const Problem<F>& p, int row, int end, int column) {
  const int tiles = (end - row + tileRows - 1) / tileRows;
  for (int t = 0; t < tiles; t++) {
    const int rows = (end - row + tiles - t - 1) / (tiles - t);
    tileOf<F, N>(p, rows, row, column, {t < N ? p.vector(column / lanes + N + t) : nullptr});
    row += rows;
  }
}

template <class F> void manyRows(const Problem<F>& p, int row, int end, int column, int vectors) {
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

struct Range {
  int begin, end;
};
// Part i of n even parts of `total`.
inline Range partOf(int total, int i, int n) {
  return {static_cast<int>(int64_t{total} * i / n), static_cast<int>(int64_t{total} * (i + 1) / n)};
}

// The tasks of a product: blocks of rows by runs of whole groups of vectors, all as even as can be.
struct Division {
  int rows, vectors, group;
  int blocks, columnTasks;

  // `bytes` of weights, and `columns` of x.
  Division(int rows, int columns, int vectors, int64_t bytes, int threads)
      : rows(rows), vectors(vectors), group(rows <= tileRows ? rowVectors[rows] : tileVectors) {
    // A block of x stays in the second-level cache while the weights pass by.
    const int blockRows = columns > 2048 ? 48 : 240;
    blocks = (rows + blockRows - 1) / blockRows;
    // A task reads an eighth of a thread's share of the weights: long runs keep the prefetchers going, short ones share out evenly.
    const int64_t share = bytes / threads;
    const int64_t perThread = share / std::clamp<int64_t>(share / 8, 65536, 524288);
    columnTasks = static_cast<int>(std::clamp<int64_t>(perThread * threads, 1, groups()));
  }
  int groups() const { return (vectors + group - 1) / group; }
  Range block(int i) const { return partOf(rows, i, blocks); }
  Range run(int i) const {
    const Range part = partOf(groups(), i, columnTasks);
    return {part.begin * group, std::min(part.end * group, vectors)};
  }
};

template <class F> void run(const ops::Linear& op, Context& context) {
  const Matrix x = context.matrix(op.x);
  const Weight& weight = context.weight(op.weight);
  Problem<F> p{nullptr, 0, static_cast<const typename F::Store*>(weight.data), context.vector(op.bias), context.matrix(op.y), (x.columns + 1) / 2};
  if (x.rows == 0) return;
  prepare<F>(p, x, context);
  const Division division(x.rows, x.columns, (p.y.columns + lanes - 1) / lanes, packedLinearBytes(p.y.columns, x.columns, weight.dtype),
                          context.threads());
  context.parallel(division.blocks * division.columnTasks, [&](int task, int) {
    const Range rows = division.block(task / division.columnTasks), vectors = division.run(task % division.columnTasks);
    if (x.rows <= tileRows) fewRows<F>(p, x.rows, vectors.begin * lanes, vectors.end - vectors.begin);
    else manyRows<F>(p, rows.begin, rows.end, vectors.begin * lanes, vectors.end - vectors.begin);
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
