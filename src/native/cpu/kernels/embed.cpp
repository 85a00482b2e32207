// y[t,h] = table[id, h] * scale: a row of the table widened to float32; and the gather of the rows whose logits are wanted.
#include "format.h"
#include "kernels.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

template <class F> void widenRow(float* y, const typename F::Store* from, int columns, float scale) {
  const V s = set(scale);
  int h = 0;
  for (; h + lanes <= columns; h += lanes) store(y + h, F::widen(from + h) * s);
  if (h == columns) return;
  typename F::Store rest[lanes] = {};
  std::memcpy(rest, from + h, sizeof(typename F::Store) * static_cast<size_t>(columns - h));
  storePart(y + h, F::widen(rest) * s, columns - h);
}

}  // namespace

void embed(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::Embed*>(raw);
  const Matrix y = context.matrix(op.y);
  const Weight& table = context.weight(op.table);
  const int32_t* ids = op.source == 0 ? context.step->tokens : op.source == 1 ? context.step->positions : context.step->tokenTypes;
  eachRow(context, y.rows, y.columns, [&](int t) {
    const size_t at = static_cast<size_t>((ids ? ids[t] : 0) + op.offset) * static_cast<size_t>(table.columns);
    switch (table.dtype) {
      case ops::Dtype::float32: return widenRow<Float32>(y.row(t), static_cast<const float*>(table.data) + at, y.columns, op.scale);
      case ops::Dtype::bfloat16: return widenRow<Bfloat16>(y.row(t), static_cast<const uint16_t*>(table.data) + at, y.columns, op.scale);
      case ops::Dtype::float16: return widenRow<Float16>(y.row(t), static_cast<const uint16_t*>(table.data) + at, y.columns, op.scale);
    }
  });
}

void gatherRows(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::GatherRows*>(raw);
  const Matrix y = context.matrix(op.y), x = context.matrix(op.x);
  const int32_t* index = context.step->rows.index + context.rowStart;
  eachRow(context, y.rows, y.columns, [&](int r) { std::memcpy(y.row(r), x.row(index[r]), sizeof(float) * static_cast<size_t>(y.columns)); });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
