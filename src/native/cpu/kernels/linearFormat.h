// How a linear's weights lie and are multiplied: [ceil(N/16)] panels of lines (format.h), a line sixteen outputs and one pair of K.
//
// float32 and float16 are one chain over K (accumulate of format.h). bfloat16 goes in blocks of 32 of K: in each, one chain
// over its even and one over its odd elements, both from 0 and ascending; their sum is added to what the blocks before gave. That is
// what one tdpbf16ps of Intel's AMX computes (SDM), and here it is spelt in fused multiply-adds or, where vdpbf16ps is, in those.
#pragma once
#include "format.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

// How far ahead of itself fetches who reads weights from memory: less than a page, since farther on an Intel core's own
// prefetcher, which then sees nothing but hits, stops helping. Sapphire Rapids, 2 threads, one row: float32 27 GB/s at 48 lines of
// 128 bytes, 33 at 12; the others 29 at 0, 34 at 44, 32 from 64 on.
template <class Store> constexpr int linesAhead = sizeof(Store) == 4 ? 12 : 44;

template <class F> struct ChainLinear : F {
  using typename F::Store;
  using typename F::X;
  static constexpr int columnUnit = 2;
  static constexpr TileShape tile = chainTile;
  // Of element k of output `lane`, in its panel.
  static size_t at(int lane, int k) { return static_cast<size_t>(k / 2) * lineElements + within<F>(lane, k % 2); }
  template <int R, int N, class Fetch>
  static MILLRACE_INLINE void multiply(V (&acc)[R][N], const X* x, size_t xStride, const Store* const (&w)[N], int lines, Fetch fetch) {
    accumulate<F, R, N>(acc, x, xStride, w, lineElements, lines, fetch);
  }
};

struct Bfloat16Linear {
  using Store = uint16_t;
  static constexpr bool planar = false;
  static constexpr int columnUnit = 32;
  static constexpr int blockLines = columnUnit / 2;
  static constexpr TileShape tile = twinTile;

  static void narrow(Store* p, V v) { storeBfloat16(p, v); }

#ifdef MILLRACE_PAIR_DOT
  // vdpbf16ps takes two steps of one chain, the higher half first: of four columns the lines hold (2, 0) and (3, 1).
  using X = uint16_t;
  static constexpr int stepLines = 2;
  static size_t at(int lane, int k) {
    return static_cast<size_t>(k / 4 * 2 + k % 2) * lineElements + within<Bfloat16Linear>(lane, k % 4 < 2 ? 1 : 0);
  }
  static void storeX(X* p, V v) { storeTwins(p, v); }
  template <int chain> static Pairs row(const X* p) { return setPair(p + 2 * chain); }
  template <int chain> static Pairs weights(const Store* p) { return loadPairs(p + chain * lineElements); }
  static V dot(V acc, Pairs x, Pairs w) { return dotPairs(acc, x, w); }
#else
  using X = float;
  static constexpr int stepLines = 1;
  static size_t at(int lane, int k) { return static_cast<size_t>(k / 2) * lineElements + within<Bfloat16Linear>(lane, k % 2); }
  static void storeX(X* p, V v) { store(p, roundBfloat16(v)); }
  template <int chain> static V row(const X* p) { return set(p[chain]); }
  template <int chain> static V weights(const Store* p) { return chain == 0 ? evenOfPairs(p) : oddOfPairs(p); }
  static V dot(V acc, V x, V w) { return fma(x, w, acc); }
#endif

  // A step of one chain. One chain's weights at a time: there are not registers for more.
  template <int chain, int R, int N>
  static MILLRACE_INLINE void step(V (&acc)[R][N], const X* x, size_t xStride, const Store* const (&w)[N], size_t at) {
    decltype(weights<chain>(w[0])) weight[N];
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) weight[v] = weights<chain>(w[v] + at);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      const auto value = row<chain>(x + static_cast<size_t>(r) * xStride);
#pragma GCC unroll 8
      for (int v = 0; v < N; v++) acc[r][v] = dot(acc[r][v], value, weight[v]);
    }
  }

  template <int R, int N, class Fetch>
  static MILLRACE_INLINE void multiply(V (&acc)[R][N], const X* x, size_t xStride, const Store* const (&w)[N], int lines, Fetch fetch) {
    for (int block = 0; block < lines; block += blockLines) {
      V even[R][N], odd[R][N];
#pragma GCC unroll 8
      for (int r = 0; r < R; r++)
#pragma GCC unroll 8
        for (int v = 0; v < N; v++) even[r][v] = odd[r][v] = set(0.f);
#pragma GCC unroll 16
      for (int line = 0; line < blockLines; line += stepLines) {
        const auto at = static_cast<size_t>(block + line);
        if (R == 1 && line % (blockLines / 2) == 0) awaitLoads();
#pragma GCC unroll 2
        for (int i = 0; i < stepLines; i++) fetch(block + line + i);
        step<0>(even, x + 2 * at, xStride, w, at * lineElements);
        step<1>(odd, x + 2 * at, xStride, w, at * lineElements);
      }
#pragma GCC unroll 8
      for (int r = 0; r < R; r++)
#pragma GCC unroll 8
        for (int v = 0; v < N; v++) acc[r][v] = acc[r][v] + (even[r][v] + odd[r][v]);
    }
  }
};

// visit(Format{}) with the format of a linear of this dtype.
template <class Visit> inline void withLinearFormat(ops::Dtype dtype, Visit&& visit) {
  switch (dtype) {
    case ops::Dtype::float32: return visit(ChainLinear<Float32>{});
    case ops::Dtype::bfloat16: return visit(Bfloat16Linear{});
    case ops::Dtype::float16: return visit(ChainLinear<Float16>{});
  }
}

template <class L> inline int paddedColumns(int columns) { return (columns + L::columnUnit - 1) / L::columnUnit * L::columnUnit; }

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
