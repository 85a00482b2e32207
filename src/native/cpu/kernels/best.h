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

struct Better {
  const float* x;
  bool operator()(int a, int b) const { return x[a] != x[b] ? x[a] > x[b] : a < b; }
};

// Indices of the k best of x, best first. k <= n.
inline void bestOf(const float* x, int n, int k, int* indices) {
  if (k <= 0) return;
  const uint32_t kth = kthKey(x, n, k);
  int count = 0;
  for (int i = 0; i < n; i++)
    if (orderKey(x[i]) > kth) indices[count++] = i;
  for (int i = 0; i < n && count < k; i++)
    if (orderKey(x[i]) == kth) indices[count++] = i;
  std::sort(indices, indices + k, Better{x});
}

}  // namespace
}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
