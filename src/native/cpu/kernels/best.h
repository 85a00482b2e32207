// The greatest values of a row, best first: by value, then by the lower index.
#pragma once
#include <algorithm>

#include "../simd.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

// Unsigned keys in the order of the floats; -0 and 0 are one.
inline uint32_t orderKey(float x) {
  x += 0.f;
  uint32_t u;
  std::memcpy(&u, &x, sizeof u);
  return u & 0x80000000u ? ~u : u | 0x80000000u;
}

// Key of the k-th greatest of x (1 <= k <= n): one histogram over 11, 11 and 10 bits after another.
inline uint32_t kthKey(const float* x, int n, int k) {
  uint32_t prefix = 0;
  int known = 0;
  for (const int width : {11, 11, 10}) {
    uint32_t count[2048] = {};
    const int shift = 32 - known - width;
    for (int i = 0; i < n; i++) {
      const uint32_t key = orderKey(x[i]);
      if (known == 0 || key >> (32 - known) == prefix) count[(key >> shift) & ((1u << width) - 1u)]++;
    }
    uint32_t bin = (1u << width) - 1u;
    while (static_cast<uint32_t>(k) > count[bin]) k -= static_cast<int>(count[bin--]);
    prefix = prefix << width | bin;
    known += width;
  }
  return prefix;
}

struct Greater {
  bool operator()(float a, float b) const { return a > b; }
};
struct Better {
  const float* x;
  bool operator()(int a, int b) const { return x[a] != x[b] ? x[a] > x[b] : a < b; }
};

// Room for candidatesOf's block maxima, in floats.
constexpr int blockTokens = 64;
inline size_t maximaOf(int n) { return static_cast<size_t>(n / blockTokens + 1); }

// Indices, ascending, of some of x among which are its k best; answers how many. Of blocks' maxima the k-th greatest is no
// greater than the k-th of all, so what lies below it is out: one pass by vectors, and few come through where k is small.
inline int candidatesOf(const float* x, int n, int k, float* maxima, int* indices) {
  const int blocks = n / blockTokens;
  int count = 0;
  if (blocks < 2 * k) {
    const uint32_t kth = kthKey(x, n, k);
    for (int i = 0; i < n; i++)
      if (orderKey(x[i]) >= kth) indices[count++] = i;
    return count;
  }
  for (int b = 0; b < blocks; b++) {
    const float* p = x + b * blockTokens;
    maxima[b] = reduceMax(max(max(load(p), load(p + lanes)), max(load(p + 2 * lanes), load(p + 3 * lanes))));
  }
  std::nth_element(maxima, maxima + (k - 1), maxima + blocks, Greater{});
  const float bound = maxima[k - 1];
  int i = 0;
  for (; i + lanes <= n; i += lanes)
    for (unsigned keep = 0xffffu & ~bits(less(load(x + i), set(bound))); keep; keep &= keep - 1) indices[count++] = i + __builtin_ctz(keep);
  for (; i < n; i++)
    if (!(x[i] < bound)) indices[count++] = i;
  return count;
}

// Indices of the k best of x, best first, 0 <= k <= n. `indices` has room for n.
inline void bestOf(const float* x, int n, int k, float* maxima, int* indices) {
  if (k <= 0) return;
  const int count = candidatesOf(x, n, k, maxima, indices);
  std::partial_sort(indices, indices + k, indices + count, Better{x});
}

// The k-th greatest of x, 1 <= k <= n.
inline float kthOf(const float* x, int n, int k, float* maxima, int* indices) {
  const int count = candidatesOf(x, n, k, maxima, indices);
  std::nth_element(indices, indices + (k - 1), indices + count, Better{x});
  return x[indices[k - 1]];
}

}  // namespace
}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
