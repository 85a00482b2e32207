// The storage types of weights and caches, as a tile reads them.
//
// A line holds sixteen outputs and one pair of the summed dimension. bfloat16: [16][2], even and odd side by side, 64 bytes,
// as vdpbf16ps wants it. float16 and float32: [2][16], the even sixteen and then the odd, 64 and 128 bytes, which need
// no splitting. `X` is how the rows that meet the weights are stored: pairs of bfloat16 where the processor multiplies them,
// float32 elsewhere. One step of every format is acc = fma(x0, w0, fma(x1, w1, acc)).
#pragma once
#include <cstddef>
#include <cstdint>

#include "../simd.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

constexpr size_t lineElements = 32;

// Two float32 vectors against a broadcast pair of float32.
struct SplitLine {
  V even, odd;
};
struct SplitPair {
  V even, odd;
};
inline V dotSplit(V acc, SplitPair x, SplitLine w) { return fma(x.even, w.even, fma(x.odd, w.odd, acc)); }

struct Float32 {
  using Store = float;
  using X = float;
  using Line = SplitLine;
  using Pair = SplitPair;
  static constexpr bool planar = true;
  static Line line(const Store* p) { return {load(p), load(p + lanes)}; }
  static Pair pair(const X* p) { return {set(p[0]), set(p[1])}; }
  static V dot(V acc, Pair x, Line w) { return dotSplit(acc, x, w); }
  static V widen(const Store* p) { return load(p); }
  static void narrow(Store* p, V v) { store(p, v); }
  // n values to X, exact here.
  static void storeX(X* p, V v) { store(p, v); }
};

struct Float16 {
  using Store = uint16_t;
  using X = float;
  using Line = SplitLine;
  using Pair = SplitPair;
  static constexpr bool planar = true;
  static Line line(const Store* p) { return {loadFloat16(p), loadFloat16(p + lanes)}; }
  static Pair pair(const X* p) { return {set(p[0]), set(p[1])}; }
  static V dot(V acc, Pair x, Line w) { return dotSplit(acc, x, w); }
  static V widen(const Store* p) { return loadFloat16(p); }
  static void narrow(Store* p, V v) { storeFloat16(p, v); }
  static void storeX(X* p, V v) { store(p, v); }
};

struct Bfloat16 {
  using Store = uint16_t;
  static constexpr bool planar = false;
#ifdef MILLRACE_PAIR_DOT
  using X = uint16_t;
  using Line = Pairs;
  using Pair = Pairs;
  static Line line(const Store* p) { return loadPairs(p); }
  static Pair pair(const X* p) { return setPair(p); }
  static V dot(V acc, Pair x, Line w) { return dotPairs(acc, x, w); }
  static void storeX(X* p, V v) { storeBfloat16(p, v); }
#else
  using X = float;
  using Line = SplitLine;
  using Pair = SplitPair;
  static Line line(const Store* p) { return {evenOfPairs(p), oddOfPairs(p)}; }
  static Pair pair(const X* p) { return {set(p[0]), set(p[1])}; }
  static V dot(V acc, Pair x, Line w) { return dotSplit(acc, x, w); }
  static void storeX(X* p, V v) { store(p, roundBfloat16(v)); }
#endif
  static V widen(const Store* p) { return loadBfloat16(p); }
  static void narrow(Store* p, V v) { storeBfloat16(p, v); }
};

// x[count] rounded into a row of F::X of `padded` values (a multiple of 2, the rest 0). May write up to 15 values past `padded`:
// rows of X are spaced by rowStride().
template <class F> inline void convertRow(typename F::X* to, const float* from, int count, int padded) {
  int k = 0;
  for (; k + lanes <= count; k += lanes) F::storeX(to + k, load(from + k));
  for (; k < padded; k += lanes) F::storeX(to + k, loadPart(from + k, count - k > 0 ? count - k : 0));
}
// Values between rows of X: whole vectors, and an odd number of cache lines, so that the rows of a tile do not share sets.
template <class F> constexpr size_t rowStride(int count) {
  const size_t perLine = 64 / sizeof(typename F::X);
  return ((static_cast<size_t>(count) + perLine - 1) / perLine | 1) * perLine;
}

// Element `lane` of a line, of the pair's even (0) or odd (1) half.
template <class F> inline size_t within(int lane, int parity) {
  return static_cast<size_t>(F::planar ? parity * lanes + lane : 2 * lane + parity);
}

// Who fetches must be inlined: GCC 12 takes a function that only fetches for one without effect, and drops its calls.
template <class F> MILLRACE_INLINE void prefetchLine(const typename F::Store* line) {
#pragma GCC unroll 2
  for (size_t at = 0; at < lineElements; at += 64 / sizeof(typename F::Store)) prefetch(line + at);
}

// The tile: acc[r][v] runs over `pairs` pairs of R rows of x (xStride apart) and the lines at w[v], pairStride apart. fetch(k)
// is called before pair k, to bring nearer what comes later. Every loop over acc is unrolled, or GCC leaves it in memory at
// half the speed.
template <class F, int R, int N, class Fetch>
MILLRACE_INLINE void accumulate(V (&acc)[R][N], const typename F::X* x, size_t xStride, const typename F::Store* const (&w)[N],
                                size_t pairStride, int pairs, Fetch fetch) {
  for (int k = 0; k < pairs; k++) {
    fetch(k);
    typename F::Line line[N];
#pragma GCC unroll 8
    for (int v = 0; v < N; v++) line[v] = F::line(w[v] + static_cast<size_t>(k) * pairStride);
#pragma GCC unroll 8
    for (int r = 0; r < R; r++) {
      const typename F::Pair pair = F::pair(x + static_cast<size_t>(r) * xStride + 2 * static_cast<size_t>(k));
#pragma GCC unroll 8
      for (int v = 0; v < N; v++) acc[r][v] = F::dot(acc[r][v], pair, line[v]);
    }
  }
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
