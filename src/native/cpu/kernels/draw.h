// From a row of edited logits to the token it draws. The rules stand in src/domain/sampling/draw.ts, which this follows step by step.
#pragma once
#include "best.h"
#include "math.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

// Sums over the vocabulary go chunk by chunk, merged in order in float64.
constexpr int chunkTokens = 1024;

inline int least(int a, int b) { return a < b ? a : b; }

// Parameters of a row that draws.
struct Draw {
  float temperature, topP, minP;
  int topK;
  double uniform;
};

// w[i] = e^((x[i] - top) / temperature): the greatest is 1.
inline void weigh(float* w, const float* x, int n, float top, float temperature) {
  const V t = set(temperature);
  for (int i = 0; i < n; i += lanes) storePart(w + i, exp((loadPart(x + i, n - i) - set(top)) / t), n - i);
}

// Sum of w[from, to) in eight interleaved float64 sums.
inline double massOf(const float* w, int from, int to) {
  double part[8] = {};
  int i = from;
  for (; i + 8 <= to; i += 8)
    for (int j = 0; j < 8; j++) part[j] += static_cast<double>(w[i + j]);
  for (int j = 0; i < to; i++, j++) part[j] += static_cast<double>(w[i]);
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}
inline double massOf(const float* w, int n) {
  double total = 0;
  for (int from = 0; from < n; from += chunkTokens) total += massOf(w, from, least(n, from + chunkTokens));
  return total;
}

// The nucleus: by falling logit, a token stays while those before it hold less than topP of the mass. The others' weights become 0.
inline void nucleus(float* w, const float* x, int n, float topP, float* maxima, int* indices) {
  const double wanted = static_cast<double>(topP) * massOf(w, n);
  for (int64_t k = 64;; k *= 16) {
    const int count = k < n ? static_cast<int>(k) : n;
    bestOf(x, n, count, maxima, indices);
    double before = 0;
    int kept = 0;
    while (kept < count && (kept == 0 || before < wanted)) before += static_cast<double>(w[indices[kept++]]);
    if (kept == count && count < n) continue;  // the border may lie further down
    const int last = indices[kept - 1];
    const float least = x[last];
    for (int i = 0; i <= last; i++) w[i] = x[i] < least ? 0.f : w[i];
    for (int i = last + 1; i < n; i++) w[i] = x[i] <= least ? 0.f : w[i];
    return;
  }
}

// The first token, in the order of ids, at which the running mass passes uniform * mass.
inline int pick(const float* w, int n, double uniform) {
  const double wanted = uniform * massOf(w, n);
  double before = 0;
  int chosen = 0;
  for (int from = 0; from < n; from += chunkTokens) {
    const int to = least(n, from + chunkTokens);
    const double mass = massOf(w, from, to);
    if (mass == 0) continue;
    double running = before;
    const bool here = before + mass > wanted;
    for (int i = here ? from : to - 1; i < to && i >= from; i += here ? 1 : -1) {
      if (w[i] == 0) continue;
      chosen = i;
      if (!here) break;  // so far the last token with any mass
      running += static_cast<double>(w[i]);
      if (running > wanted) break;
    }
    if (here) return chosen;
    before += mass;
  }
  return chosen;
}

inline int drawToken(const float* x, int n, float top, const Draw& draw, float* w, float* maxima, int* indices) {
  weigh(w, x, n, top, draw.temperature);
  if (draw.minP > 0)
    for (int i = 0; i < n; i++) w[i] = w[i] < draw.minP ? 0.f : w[i];
  if (draw.topK > 0 && draw.topK < n) {
    const float kth = kthOf(x, n, draw.topK, maxima, indices);
    for (int i = 0; i < n; i++) w[i] = x[i] < kth ? 0.f : w[i];
  }
  if (draw.topP < 1) nucleus(w, x, n, draw.topP, maxima, indices);
  return pick(w, n, draw.uniform);
}

}  // namespace
}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
