// Sixteen lanes in one zmm register. With AVX512-BF16 the pair product is one vdpbf16ps.
#pragma once
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12's own intrinsics (bug 105593)
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <cstdint>

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

struct V {
  __m512 v;
};
struct I {
  __m512i v;
};
using Mask = __mmask16;

inline V load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline void store(float* p, V a) { _mm512_storeu_ps(p, a.v); }
inline V set(float x) { return {_mm512_set1_ps(x)}; }
inline V operator+(V a, V b) { return {_mm512_add_ps(a.v, b.v)}; }
inline V operator-(V a, V b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline V operator*(V a, V b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline V operator/(V a, V b) { return {_mm512_div_ps(a.v, b.v)}; }
inline V fma(V a, V b, V c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
// a > b ? a : b, so b where either is NaN.
inline V max(V a, V b) { return {_mm512_max_ps(a.v, b.v)}; }
inline V min(V a, V b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Mask less(V a, V b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ); }
inline Mask equal(V a, V b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ); }
inline bool any(Mask m) { return m != 0; }
inline unsigned bits(Mask m) { return m; }
inline V select(Mask m, V yes, V no) { return {_mm512_mask_mov_ps(no.v, m, yes.v)}; }
// Lane i is set where from <= i < to.
inline Mask range(int from, int to) {
  const auto below = [](int n) { return n <= 0 ? 0u : n >= 16 ? 0xffffu : (1u << n) - 1u; };
  return static_cast<Mask>(below(to) & ~below(from));
}
inline V absolute(V a) { return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a.v), _mm512_set1_epi32(0x7fffffff)))}; }
inline V copySign(V magnitude, V sign) {
  const __m512i m = _mm512_set1_epi32(0x7fffffff);
  return {_mm512_castsi512_ps(_mm512_ternarylogic_epi32(m, _mm512_castps_si512(magnitude.v), _mm512_castps_si512(sign.v), 0xca))};
}
inline I asInt(V a) { return {_mm512_castps_si512(a.v)}; }
inline V asFloat(I a) { return {_mm512_castsi512_ps(a.v)}; }
inline I setInt(int32_t x) { return {_mm512_set1_epi32(x)}; }
inline I operator+(I a, I b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline I operator-(I a, I b) { return {_mm512_sub_epi32(a.v, b.v)}; }
template <int N> inline I shiftLeft(I a) { return {_mm512_slli_epi32(a.v, N)}; }
template <int N> inline I shiftRight(I a) { return {_mm512_srai_epi32(a.v, N)}; }

// The even and the odd bfloat16 of sixteen pairs.
inline V evenOfPairs(const uint16_t* p) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16))}; }
inline V oddOfPairs(const uint16_t* p) {
  return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32(static_cast<int>(0xffff0000u))))};
}
inline V loadBfloat16(const uint16_t* p) {
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16))};
}
// Round to nearest even in place: the low half of each lane becomes zero. Denormals become zero, NaN stays (quiet).
inline V roundBfloat16(V a) {
  const __m512i u = _mm512_castps_si512(a.v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
  __m512i r = _mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __m512i magnitude = _mm512_and_si512(u, _mm512_set1_epi32(0x7fffffff));
  r = _mm512_mask_or_epi32(r, _mm512_cmpgt_epi32_mask(magnitude, _mm512_set1_epi32(0x7f800000)), u, _mm512_set1_epi32(0x400000));
  r = _mm512_mask_and_epi32(r, _mm512_cmplt_epi32_mask(magnitude, _mm512_set1_epi32(0x800000)), u, _mm512_set1_epi32(static_cast<int>(0x80000000u)));
  return {_mm512_castsi512_ps(_mm512_and_si512(r, _mm512_set1_epi32(static_cast<int>(0xffff0000u))))};
}
inline __m256i narrowBfloat16(V a) { return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(roundBfloat16(a).v), 16)); }
inline void storeBfloat16(uint16_t* p, V a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrowBfloat16(a)); }
inline V loadFloat16(const uint16_t* p) { return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))}; }
inline void storeFloat16(uint16_t* p, V a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
MILLRACE_INLINE void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }
// Goes on when the loads so far have arrived. A core whose loads run ahead of what it has fetched takes the line fill buffers from
// the prefetchers: with a wait every 8 lines Sapphire Rapids reads 4-7% faster. Zen 4, of the other family, is not known to want it.
MILLRACE_INLINE void awaitLoads() {
#ifndef __AVX512BF16__
  _mm_lfence();
#endif
}

constexpr TileShape chainTile{8, 3, {0, 2, 4, 4, 4, 3, 3, 3, 3}};
constexpr TileShape twinTile{6, 2, {0, 2, 4, 3, 3, 2, 2}};

#ifdef __AVX512BF16__
#define MILLRACE_PAIR_DOT 1
struct Pairs {
  __m512bh v;
};
inline Pairs loadPairs(const uint16_t* p) { return {(__m512bh)_mm512_loadu_si512(p)}; }
inline Pairs setPair(const uint16_t* p) {
  int32_t pair;
  __builtin_memcpy(&pair, p, 4);
  return {(__m512bh)_mm512_set1_epi32(pair)};
}
// Of every four values the bfloat16 of numbers 2, 0, 3, 1.
inline void storeTwins(uint16_t* p, V a) {
  const __m256i order = _mm256_broadcastsi128_si256(_mm_setr_epi8(4, 5, 0, 1, 6, 7, 2, 3, 12, 13, 8, 9, 14, 15, 10, 11));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_shuffle_epi8(narrowBfloat16(a), order));
}
inline V dotPairs(V acc, Pairs x, Pairs w) { return {_mm512_dpbf16_ps(acc.v, x.v, w.v)}; }
#endif

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
