// Softmax attention of a few rows over tiles of 64 keys that sit at absolute positions. Two products, both the tile of format.h:
// scores = q K' summed over pairs of columns, outputs += p V summed over pairs of tokens. q and p are in the format's X.
//
// Order, per row: tiles ascending within a split of 512 keys; a tile's maximum, then its probabilities e^(s - max), their sum by
// the one tree, the outputs key pair by key pair. Splits start empty and merge in order. Nothing of it depends on the
// other rows, on the batch, or on who computes a split.
#pragma once
#include "kvCell.h"
#include "math.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

constexpr int tileKeys = 64;
constexpr int tileGroups = tileKeys / lanes;
constexpr int splitKeys = 512;

// Running softmax of up to tileRows rows: max and sum, lane r for row r, and outputs [tileRows][E, padded to 16].
struct State {
  float* base;
  float* max() const { return base; }
  float* sum() const { return base + lanes; }
  float* out(int r, int vectors) const { return base + 2 * lanes + static_cast<ptrdiff_t>(r) * vectors * lanes; }
  static size_t floats(int vectors) { return static_cast<size_t>((2 + tileRows * vectors) * lanes); }
  void clear(int vectors) const {
    store(max(), set(-__builtin_inff()));
    for (size_t i = lanes; i < floats(vectors); i += lanes) store(base + i, set(0.f));
  }
};

// The rows of one tile: q in X (qStride apart), and the range of keys [first, last] that each sees.
template <class F> struct Rows {
  const typename F::X* q;
  size_t qStride;
  const int* first;
  const int* last;
  float scale;
};

// Where the sixteen-token groups of a tile lie, and those of the next one, to fetch ahead.
template <class F> struct TileAddress {
  const typename F::Store* key[tileGroups];
  const typename F::Store* value[tileGroups];
};

constexpr int scoreVectors(int rows) {
  return rows > 4 ? (chainTile.vectors > 2 ? 2 : 1) : chainTile.alone[rows];
}

template <class F, int R>
inline void scoreTile(float (&s)[R][tileKeys], const Rows<F>& rows, const TileAddress<F>& at, const TileAddress<F>& next, int pairs) {
  constexpr int N = scoreVectors(R);
  for (int g = 0; g < tileGroups; g += N) {
    V acc[R][N];
#pragma GCC unroll 8
    for (int r = 0; r < R; r++)
#pragma GCC unroll 8
      for (int v = 0; v < N; v++) acc[r][v] = set(0.f);
    const typename F::Store* keys[N];
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) keys[v] = at.key[g + v];
    accumulate<F, R, N>(acc, rows.q, rows.qStride, keys, lineElements, pairs, [&](int k) __attribute__((always_inline)) {
#pragma GCC unroll 8
      for (int v = 0; v < N; v++) {
        prefetchLine<F>(next.key[g + v] + static_cast<size_t>(k) * lineElements);
        prefetchLine<F>(next.value[g + v] + static_cast<size_t>(k) * lineElements);
      }
    });
#pragma GCC unroll 8
    for (int r = 0; r < R; r++)
#pragma GCC unroll 8
      for (int v = 0; v < N; v++) store(s[r] + (g + v) * lanes, acc[r][v] * set(rows.scale));
  }
}

// Scores to probabilities in p; scales what the state holds to the new maxima.
template <class F, int R>
inline void softmaxTile(typename F::X (&p)[R][tileKeys], float (&s)[R][tileKeys], const Rows<F>& rows, const State& state, int key0, int vectors) {
  const V none = set(-__builtin_inff());
  alignas(64) float before[lanes], now[lanes], rescale[lanes];
  store(before, load(state.max()));
  store(now, load(state.max()));
  for (int r = 0; r < R; r++) {
    const int from = rows.first[r] - key0, to = rows.last[r] + 1 - key0;
    V m = none;
    for (int g = 0; g < tileGroups; g++) {
      V v = load(s[r] + g * lanes);
      if (from > 0 || to < tileKeys) {
        v = select(range(from - g * lanes, to - g * lanes), v, none);
        store(s[r] + g * lanes, v);
      }
      m = max(m, v);
    }
    const float top = reduceMax(m);
    now[r] = top > before[r] ? top : before[r];
  }
  store(rescale, exp(load(before) - load(now)));
  for (int r = 0; r < R; r++) {
    if (now[r] == -__builtin_inff()) {  // this row has seen no key yet
      for (int g = 0; g < tileGroups; g++) F::storeX(p[r] + g * lanes, set(0.f));
      continue;
    }
    V sum[tileGroups];
#pragma GCC unroll 4
    for (int g = 0; g < tileGroups; g++) {
      sum[g] = exp(load(s[r] + g * lanes) - set(now[r]));
      F::storeX(p[r] + g * lanes, sum[g]);
    }
    const float total = reduceAdd((sum[0] + sum[1]) + (sum[2] + sum[3]));
    state.sum()[r] = __builtin_fmaf(state.sum()[r], rescale[r], total);
    state.max()[r] = now[r];
    if (now[r] == before[r]) continue;  // a factor of exactly 1
    for (int v = 0; v < vectors; v++) store(state.out(r, vectors) + v * lanes, load(state.out(r, vectors) + v * lanes) * set(rescale[r]));
  }
}

template <class F, int R, int N>
inline void outputColumns(const typename F::X (&p)[R][tileKeys], const TileAddress<F>& at, const State& state, int vectors, int column) {
  V acc[R][N];
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) acc[r][v] = load(state.out(r, vectors) + (column + v) * lanes);
  for (int g = 0; g < tileGroups; g++) {
    const typename F::Store* w[N];
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) w[v] = at.value[g] + static_cast<size_t>(column + v) * lineElements;
    accumulate<F, R, N>(acc, &p[0][0] + g * lanes, tileKeys, w, static_cast<size_t>(vectors) * lineElements, lanes / 2, [](int) {});
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; r++)
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) store(state.out(r, vectors) + (column + v) * lanes, acc[r][v]);
}

// One tile of keys [key0, key0 + 64) for R rows.
template <class F, int R>
__attribute__((noinline)) void attendTile(const Rows<F>& rows, const TileAddress<F>& at, const TileAddress<F>& next, const State& state, int key0,
                                          int pairs, int vectors) {
  constexpr int N = scoreVectors(R);
  alignas(64) float s[R][tileKeys];
  alignas(64) typename F::X p[R][tileKeys];
  scoreTile<F, R>(s, rows, at, next, pairs);
  softmaxTile<F, R>(p, s, rows, state, key0, vectors);
  int v = 0;
  for (; v + N <= vectors; v += N) outputColumns<F, R, N>(p, at, state, vectors, v);
  for (; v < vectors; v++) outputColumns<F, R, 1>(p, at, state, vectors, v);
}

template <class F, int R = tileRows>
inline void attendTileOf(int count, const Rows<F>& rows, const TileAddress<F>& at, const TileAddress<F>& next, const State& state, int key0, int pairs,
                         int vectors) {
  if constexpr (R > 1) {
    if (count < R) return attendTileOf<F, R - 1>(count, rows, at, next, state, key0, pairs, vectors);
  }
  attendTile<F, R>(rows, at, next, state, key0, pairs, vectors);
}

// into += part: both scaled to the greater maximum. A part that saw no key changes nothing.
inline void mergeState(const State& into, const State& part, int rows, int vectors) {
  for (int r = 0; r < rows; r++) {
    if (part.max()[r] == -__builtin_inff()) continue;
    const float m = into.max()[r] > part.max()[r] ? into.max()[r] : part.max()[r];
    const V a = exp(set(into.max()[r] - m)), b = exp(set(part.max()[r] - m));
    alignas(64) float sum[lanes];
    store(sum, fma(set(into.sum()[r]), a, set(part.sum()[r]) * b));
    into.sum()[r] = sum[0];
    into.max()[r] = m;
    for (int v = 0; v < vectors; v++) {
      float* o = into.out(r, vectors) + v * lanes;
      store(o, fma(load(o), a, load(part.out(r, vectors) + v * lanes) * b));
    }
  }
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
