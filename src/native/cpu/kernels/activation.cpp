// y = f(x), and y = f(gate) * up.
#include "kernels.h"
#include "math.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

template <class F> void activateRow(float* y, const float* x, const float* up, int columns) {
  int i = 0;
  for (; i + lanes <= columns; i += lanes) {
    const V v = F::apply(load(x + i));
    store(y + i, up ? v * load(up + i) : v);
  }
  if (i == columns) return;
  const int n = columns - i;
  const V v = F::apply(loadPart(x + i, n));
  storePart(y + i, up ? v * loadPart(up + i, n) : v, n);
}

void activateRow(int kind, float* y, const float* x, const float* up, int columns) {
  switch (static_cast<ops::ActivationKind>(kind)) {
    case ops::ActivationKind::relu: return activateRow<Relu>(y, x, up, columns);
    case ops::ActivationKind::silu: return activateRow<Silu>(y, x, up, columns);
    case ops::ActivationKind::gelu: return activateRow<Gelu>(y, x, up, columns);
    case ops::ActivationKind::geluTanh: return activateRow<GeluTanh>(y, x, up, columns);
    case ops::ActivationKind::tanh: return activateRow<Tanh>(y, x, up, columns);
    case ops::ActivationKind::sigmoid: return activateRow<Sigmoid>(y, x, up, columns);
  }
}

}  // namespace

void activation(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::Activation*>(raw);
  const Matrix y = context.matrix(op.y), x = context.matrix(op.x);
  eachRow(context, x.rows, x.columns, [&](int t) { activateRow(op.kind, y.row(t), x.row(t), nullptr, x.columns); });
}

void gatedActivation(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::GatedActivation*>(raw);
  const Matrix y = context.matrix(op.y), gate = context.matrix(op.gate), up = context.matrix(op.up);
  eachRow(context, gate.rows, gate.columns, [&](int t) { activateRow(op.kind, y.row(t), gate.row(t), up.row(t), gate.columns); });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
