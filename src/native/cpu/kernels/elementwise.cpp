// y = a + b.
#include "kernels.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

void add(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::Add*>(raw);
  const Matrix y = context.matrix(op.y), a = context.matrix(op.a), b = context.matrix(op.b);
  eachRow(context, y.rows, y.columns, [&](int t) {
    float* to = y.row(t);
    const float *p = a.row(t), *q = b.row(t);
    for (int h = 0; h < y.columns; h++) to[h] = p[h] + q[h];
  });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
