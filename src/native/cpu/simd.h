// Sixteen float32 lanes, on every instruction set: one zmm, two ymm, or a plain array. A kernel written on `V` does the
// same operations in the same order whatever the lanes are made of, and that is why its bits agree everywhere.
// Compiled once per ISA: MILLRACE_ISA_NAMESPACE keeps the copies apart. Never include this outside cpu/kernels.
#pragma once
#ifndef MILLRACE_ISA_NAMESPACE
#error "compile src/native/cpu/kernels once per ISA, each with -DMILLRACE_ISA_NAMESPACE=<name>"
#endif

#define MILLRACE_INLINE inline __attribute__((always_inline))

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

// Rows and vectors of the widest tile whose values are one chain each (chainTile) or two (twinTile), and the vectors of a tile
// that has all rows there are.
struct TileShape {
  int rows, vectors;
  int alone[9];
};

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#include "simd_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include "simd_avx2.h"
#else
#include "simd_portable.h"
#endif

#include <cstring>

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

constexpr int lanes = 16;
constexpr int tileRows = chainTile.rows;

// The first n lanes from p, the rest zero. p need not be readable past n.
inline V loadPart(const float* p, int n) {
  if (n >= lanes) return load(p);
  alignas(64) float t[lanes] = {};
  std::memcpy(t, p, sizeof(float) * static_cast<size_t>(n));
  return load(t);
}
inline void storePart(float* p, V v, int n) {
  if (n >= lanes) return store(p, v);
  alignas(64) float t[lanes];
  store(t, v);
  std::memcpy(p, t, sizeof(float) * static_cast<size_t>(n));
}

// The one tree of every sum: lane i + lane i+8, then i+4, i+2, i+1.
inline float reduceAdd(V v) {
  alignas(64) float t[lanes];
  store(t, v);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; i++) t[i] = t[i] + t[i + width];
  return t[0];
}
inline float reduceMax(V v) {
  alignas(64) float t[lanes];
  store(t, v);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; i++) t[i] = t[i] > t[i + width] ? t[i] : t[i + width];
  return t[0];
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
