// The sampler: one row of raw logits to one token, with the log-probability, rank and best tokens that were asked for.
// The rules stand in src/domain/sampling/draw.ts, which this follows step by step. Rows are independent of each other.
#include "best.h"
#include "draw.h"
#include "edit.h"
#include "kernels.h"
#include "math.h"
#include "philox.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

// The greatest logit; `finite` is false where any is not.
float scanRow(const float* x, int n, bool& finite) {
  V top = set(-__builtin_inff()), poison = set(0.f);
  for (int i = 0; i < n; i += lanes) {
    const V v = i + lanes <= n ? load(x + i) : select(range(0, n - i), loadPart(x + i, n - i), set(x[0]));
    top = max(v, top);
    poison = fma(v, set(0.f), poison);  // infinity and NaN times 0 are NaN
  }
  const float sum = reduceAdd(poison);
  finite = sum == sum;
  return reduceMax(top);
}

int firstEqual(const float* x, int n, float value) {
  int i = 0;
  for (; i + lanes <= n; i += lanes)
    if (const unsigned hit = bits(equal(load(x + i), set(value)))) return i + __builtin_ctz(hit);
  while (x[i] != value) i++;
  return i;
}

double logSumExp(const float* x, int n, float top) {
  double total = 0;
  for (int from = 0; from < n; from += chunkTokens) {
    const int to = least(n, from + chunkTokens);
    V sum = set(0.f);
    int i = from;
    for (; i + lanes <= to; i += lanes) sum = sum + exp(load(x + i) - set(top));
    if (i < to) sum = sum + select(range(0, to - i), exp(loadPart(x + i, to - i) - set(top)), set(0.f));
    total += static_cast<double>(reduceAdd(sum));
  }
  return static_cast<double>(top) + logarithm(total);
}

// How many logits are at least `value`.
int rankOf(const float* x, int n, float value) {
  int below = 0, i = 0;
  for (; i + lanes <= n; i += lanes) below += __builtin_popcount(bits(less(load(x + i), set(value))));
  for (; i < n; i++) below += x[i] < value;
  return n - below;
}

// One row's scratch memory: n weights, n indices, the maxima of blocks, and, where a step edits, n logits.
struct RowMemory {
  float* weights;
  int* indices;
  float* maxima;
  float* edited;
  static size_t bytes(int n, bool edits) {
    const size_t each = sizeof(float) + sizeof(int) + (edits ? sizeof(float) : 0);
    return static_cast<size_t>(n) * each + maximaOf(n) * sizeof(float);
  }
  RowMemory(void* memory, int n)
      : weights(static_cast<float*>(memory)),
        indices(reinterpret_cast<int*>(weights + n)),
        maxima(reinterpret_cast<float*>(indices + n)),
        edited(maxima + maximaOf(n)) {}
};

// Log-probability, rank and best tokens of row r, over x: raw logits, masked by the row's grammar. `top` is the greatest.
void stateRow(const float* x, int n, float top, int token, const StepRows& rows, int r, StepOutput& output, const RowMemory& memory) {
  const double norm = logSumExp(x, n, top);
  output.logprobs[r] = static_cast<float>(static_cast<double>(x[token]) - norm);
  output.ranks[r] = rankOf(x, n, x[token]);
  const int count = least(least(rows.logprobs[r], output.top), n);
  bestOf(x, n, count, memory.maxima, memory.indices);
  for (int i = 0; i < count; i++) {
    const int id = memory.indices[i];
    if (x[id] == -__builtin_inff()) break;  // from here on all is masked
    output.topTokens[static_cast<int64_t>(r) * output.top + i] = id;
    output.topLogprobs[static_cast<int64_t>(r) * output.top + i] = static_cast<float>(static_cast<double>(x[id]) - norm);
  }
}

// Output row `r` of the step, whose own input token is `input`.
void sampleRow(float* x, int n, const StepRows& rows, int r, int input, StepOutput& output, const RowMemory& memory) {
  bool finite = true;
  float top = scanRow(x, n, finite);
  output.tokens[r] = 0;
  output.logprobs[r] = 0;
  output.ranks[r] = 0;
  output.faults[r] = 1;
  if (!finite) return;
  const bool draws = rows.target[r] < 0, stated = rows.logprobs[r] >= 0;
  const float* drawn = x;
  float drawnTop = top;
  if (draws && rows.edits != nullptr) {
    const StepEdits& edits = *rows.edits;
    if (maskRow(x, n, edits, r)) drawnTop = top = greatest(x, n);
    if (editsRow(edits, r)) {
      float* y = stated ? memory.edited : x;
      if (stated) std::memcpy(y, x, static_cast<size_t>(n) * sizeof(float));
      editRow(y, n, edits, r, rows.outputIndex[r] > 0 ? input : -1, memory.indices);
      drawn = y;
      drawnTop = greatest(y, n);
    }
    if (!(drawnTop > -__builtin_inff() && drawnTop < __builtin_inff())) return;  // nothing is left to draw
  }
  output.faults[r] = 0;
  int token = rows.target[r];
  if (draws && rows.temperature[r] == 0) token = firstEqual(drawn, n, drawnTop);
  else if (draws)
    token = drawToken(drawn, n, drawnTop,
                      {rows.temperature[r], rows.topP[r], rows.minP[r], rows.topK[r], uniform(rows.seed[2 * r], rows.seed[2 * r + 1], rows.outputIndex[r])},
                      memory.weights, memory.maxima, memory.indices);
  output.tokens[r] = token;
  if (stated || !draws) stateRow(x, n, top, token, rows, r, output, memory);
}

}  // namespace

void sample(const Matrix& logits, int32_t firstRow, StepOutput& output, Context& context) {
  const StepView& step = *context.step;
  const int n = logits.columns;
  const size_t bytes = RowMemory::bytes(n, step.rows.edits != nullptr);
  const auto row = [&](int r, int thread) {
    const int at = firstRow + r;
    const int input = step.rows.edits != nullptr ? step.tokens[step.rows.index[at]] : -1;
    sampleRow(logits.row(r), n, step.rows, at, input, output, RowMemory(context.scratch(thread, bytes), n));
  };
  context.parallel(logits.rows, row);
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
