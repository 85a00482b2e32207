// Sixteen lanes in a plain array: what the others mean, in C++. fmaf is exact everywhere (libm's where the machine has no FMA).
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

struct V {
  float v[16];
};
struct I {
  int32_t v[16];
};
struct Mask {
  bool v[16];
};

template <class T, class F> inline T each(F f) {
  T r;
  for (int i = 0; i < 16; i++) r.v[i] = f(i);
  return r;
}
inline V load(const float* p) { return each<V>([&](int i) { return p[i]; }); }
inline void store(float* p, const V& a) { std::memcpy(p, a.v, sizeof a.v); }
inline V set(float x) { return each<V>([&](int) { return x; }); }
inline V operator+(const V& a, const V& b) { return each<V>([&](int i) { return a.v[i] + b.v[i]; }); }
inline V operator-(const V& a, const V& b) { return each<V>([&](int i) { return a.v[i] - b.v[i]; }); }
inline V operator*(const V& a, const V& b) { return each<V>([&](int i) { return a.v[i] * b.v[i]; }); }
inline V operator/(const V& a, const V& b) { return each<V>([&](int i) { return a.v[i] / b.v[i]; }); }
inline V fma(const V& a, const V& b, const V& c) { return each<V>([&](int i) { return std::fma(a.v[i], b.v[i], c.v[i]); }); }
// a > b ? a : b, so b where either is NaN.
inline V max(const V& a, const V& b) { return each<V>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; }); }
inline V min(const V& a, const V& b) { return each<V>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; }); }
inline Mask less(const V& a, const V& b) { return each<Mask>([&](int i) { return a.v[i] < b.v[i]; }); }
inline Mask equal(const V& a, const V& b) { return each<Mask>([&](int i) { return a.v[i] == b.v[i]; }); }
inline unsigned bits(const Mask& m) {
  unsigned r = 0;
  for (int i = 0; i < 16; i++) r |= static_cast<unsigned>(m.v[i]) << i;
  return r;
}
inline bool any(const Mask& m) { return bits(m) != 0; }
inline V select(const Mask& m, const V& yes, const V& no) { return each<V>([&](int i) { return m.v[i] ? yes.v[i] : no.v[i]; }); }
// Lane i is set where from <= i < to.
inline Mask range(int from, int to) { return each<Mask>([&](int i) { return i >= from && i < to; }); }
inline I asInt(const V& a) {
  I r;
  std::memcpy(r.v, a.v, sizeof r.v);
  return r;
}
inline V asFloat(const I& a) {
  V r;
  std::memcpy(r.v, a.v, sizeof r.v);
  return r;
}
inline I setInt(int32_t x) { return each<I>([&](int) { return x; }); }
inline I wrap(const I& a, const I& b, uint32_t (*f)(uint32_t, uint32_t)) {
  return each<I>([&](int i) { return static_cast<int32_t>(f(static_cast<uint32_t>(a.v[i]), static_cast<uint32_t>(b.v[i]))); });
}
inline I operator+(const I& a, const I& b) { return wrap(a, b, [](uint32_t x, uint32_t y) { return x + y; }); }
inline I operator-(const I& a, const I& b) { return wrap(a, b, [](uint32_t x, uint32_t y) { return x - y; }); }
template <int N> inline I shiftLeft(const I& a) { return each<I>([&](int i) { return static_cast<int32_t>(static_cast<uint32_t>(a.v[i]) << N); }); }
template <int N> inline I shiftRight(const I& a) { return each<I>([&](int i) { return a.v[i] >> N; }); }
inline V absolute(const V& a) { return each<V>([&](int i) { return std::fabs(a.v[i]); }); }
inline V copySign(const V& magnitude, const V& sign) { return each<V>([&](int i) { return std::copysign(magnitude.v[i], sign.v[i]); }); }

inline float floatOf(uint32_t u) {
  float f;
  std::memcpy(&f, &u, 4);
  return f;
}
inline uint32_t bitsOf(float f) {
  uint32_t u;
  std::memcpy(&u, &f, 4);
  return u;
}
// Round to nearest even in place: the low half becomes zero. Denormals become zero, NaN stays (quiet).
inline float roundBfloat16(float x) {
  const uint32_t u = bitsOf(x), magnitude = u & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return floatOf((u | 0x400000u) & 0xffff0000u);
  if (magnitude < 0x800000u) return floatOf(u & 0x80000000u);
  return floatOf((u + 0x7fffu + ((u >> 16) & 1u)) & 0xffff0000u);
}
inline float widenFloat16(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16, exponent = (h >> 10) & 31u, mantissa = h & 1023u;
  if (exponent == 31) return floatOf(sign | 0x7f800000u | (mantissa << 13) | (mantissa ? 0x400000u : 0u));
  if (exponent) return floatOf(sign | ((exponent + 112u) << 23) | (mantissa << 13));
  const float tiny = static_cast<float>(mantissa) * 0x1p-24f;
  return sign ? -tiny : tiny;
}
inline uint16_t narrowFloat16(float x) {
  const uint32_t u = bitsOf(x), sign = (u >> 16) & 0x8000u, magnitude = u & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x1ffu));
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // 65520 and more round to infinity
  if (magnitude < 0x38800000u) {  // below 2^-14: a count of 2^-24, which the sum with 0.5 rounds to nearest even
    const uint32_t count = bitsOf(floatOf(magnitude) + 0.5f) - 0x3f000000u;
    return static_cast<uint16_t>(sign | count);
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

// The even and the odd bfloat16 of sixteen pairs.
inline V evenOfPairs(const uint16_t* p) { return each<V>([&](int i) { return floatOf(static_cast<uint32_t>(p[2 * i]) << 16); }); }
inline V oddOfPairs(const uint16_t* p) { return each<V>([&](int i) { return floatOf(static_cast<uint32_t>(p[2 * i + 1]) << 16); }); }
inline V loadBfloat16(const uint16_t* p) { return each<V>([&](int i) { return floatOf(static_cast<uint32_t>(p[i]) << 16); }); }
inline V roundBfloat16(const V& a) { return each<V>([&](int i) { return roundBfloat16(a.v[i]); }); }
inline void storeBfloat16(uint16_t* p, const V& a) {
  for (int i = 0; i < 16; i++) p[i] = static_cast<uint16_t>(bitsOf(roundBfloat16(a.v[i])) >> 16);
}
inline V loadFloat16(const uint16_t* p) { return each<V>([&](int i) { return widenFloat16(p[i]); }); }
inline void storeFloat16(uint16_t* p, const V& a) {
  for (int i = 0; i < 16; i++) p[i] = narrowFloat16(a.v[i]);
}
inline void prefetch(const void*) {}
inline void awaitLoads() {}

constexpr TileShape chainTile{4, 1, {0, 1, 1, 1, 1}};
constexpr TileShape twinTile{2, 1, {0, 1, 1}};

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
