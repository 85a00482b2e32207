// Means over the tokens of a sequence so far: one task a sequence and a stretch of columns, tokens in order.
#include "kernels.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

constexpr int stretch = 4 * lanes;

// Columns [column, column + count) of sequence s.
void meanColumns(const Context& context, const Matrix& y, const Matrix& x, int s, int column, int count) {
  const StepView& step = *context.step;
  const int begin = step.sequenceStarts[s], end = step.sequenceStarts[s + 1];
  const int place = step.carries ? step.carries[s] : -1;
  float* kept = place < 0 ? nullptr : step.sums + static_cast<ptrdiff_t>(place) * step.sumWidth + column;
  for (int h = 0; h < count; h += lanes) {
    const int n = count - h < lanes ? count - h : lanes;
    V sum = kept && begin < end && step.positions[begin] > 0 ? loadPart(kept + h, n) : set(0.f);
    for (int t = begin; t < end; t++) {
      sum = sum + loadPart(x.row(t) + column + h, n);
      storePart(y.row(t) + column + h, sum / set(static_cast<float>(step.positions[t] + 1)), n);
    }
    if (kept) storePart(kept + h, sum, n);
  }
}

}  // namespace

void runningMean(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::RunningMean*>(raw);
  const Matrix y = context.matrix(op.y), x = context.matrix(op.x);
  const int stretches = (x.columns + stretch - 1) / stretch;
  context.parallel(context.step->sequenceCount * stretches, [&](int task, int) {
    const int column = task % stretches * stretch;
    meanColumns(context, y, x, task / stretches, column, x.columns - column < stretch ? x.columns - column : stretch);
  });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
