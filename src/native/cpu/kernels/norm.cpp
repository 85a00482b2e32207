// Norms of rows, float32. A row is summed sixteen columns at a time into sixteen lanes, its tail padded with zeros, and the
// lanes by the one tree of simd.h: the same bits on every instruction set.
#include "kernels.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

// sum over h of f(x[h]), absent columns 0.
template <class F> inline float sumOf(const float* x, int columns, F f) {
  V acc = set(0.f);
  int h = 0;
  for (; h + lanes <= columns; h += lanes) acc = f(load(x + h), acc);
  if (h < columns) acc = select(range(0, columns - h), f(loadPart(x + h, columns - h), acc), acc);
  return reduceAdd(acc);
}

template <class F> inline void mapRow(float* y, const float* x, int columns, F f) {
  int h = 0;
  for (; h + lanes <= columns; h += lanes) store(y + h, f(load(x + h), h, lanes));
  if (h < columns) storePart(y + h, f(loadPart(x + h, columns - h), h, columns - h), columns - h);
}

void rmsRow(float* y, const float* x, const float* weight, int columns, float eps) {
  const float square = sumOf(x, columns, [](V v, V acc) { return fma(v, v, acc); });
  const V scale = set(1.f / __builtin_sqrtf(square / static_cast<float>(columns) + eps));
  mapRow(y, x, columns, [&](V v, int h, int n) { return v * scale * loadPart(weight + h, n); });
}

void layerRow(float* y, const float* x, const float* weight, const float* bias, int columns, float eps) {
  const V mean = set(sumOf(x, columns, [](V v, V acc) { return acc + v; }) / static_cast<float>(columns));
  const float square = sumOf(x, columns, [&](V v, V acc) {
    const V d = v - mean;
    return fma(d, d, acc);
  });
  const V scale = set(1.f / __builtin_sqrtf(square / static_cast<float>(columns) + eps));
  mapRow(y, x, columns, [&](V v, int h, int n) {
    const V normed = (v - mean) * scale;
    return bias ? fma(normed, loadPart(weight + h, n), loadPart(bias + h, n)) : normed * loadPart(weight + h, n);
  });
}

void addRow(float* sum, const float* x, const float* residual, int columns) {
  mapRow(sum, x, columns, [&](V v, int h, int n) { return v + loadPart(residual + h, n); });
}

}  // namespace

void rmsNorm(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::RmsNorm*>(raw);
  const Matrix y = context.matrix(op.y), x = context.matrix(op.x);
  const float* weight = context.vector(op.weight);
  const int columns = x.columns / op.groups;
  eachRow(context, x.rows, x.columns, [&](int t) {
    for (int g = 0; g < op.groups; g++) rmsRow(y.row(t) + g * columns, x.row(t) + g * columns, weight, columns, op.eps);
  });
}

void layerNorm(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::LayerNorm*>(raw);
  const Matrix y = context.matrix(op.y), x = context.matrix(op.x);
  const float *weight = context.vector(op.weight), *bias = context.vector(op.bias);
  eachRow(context, x.rows, x.columns, [&](int t) { layerRow(y.row(t), x.row(t), weight, bias, x.columns, op.eps); });
}

void addRmsNorm(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::AddRmsNorm*>(raw);
  const Matrix sum = context.matrix(op.sum), y = context.matrix(op.y), x = context.matrix(op.x), residual = context.matrix(op.residual);
  const float* weight = context.vector(op.weight);
  eachRow(context, x.rows, x.columns, [&](int t) {
    addRow(sum.row(t), x.row(t), residual.row(t), x.columns);
    rmsRow(y.row(t), sum.row(t), weight, x.columns, op.eps);
  });
}

void addLayerNorm(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::AddLayerNorm*>(raw);
  const Matrix sum = context.matrix(op.sum), y = context.matrix(op.y), x = context.matrix(op.x), residual = context.matrix(op.residual);
  const float *weight = context.vector(op.weight), *bias = context.vector(op.bias);
  eachRow(context, x.rows, x.columns, [&](int t) {
    addRow(sum.row(t), x.row(t), residual.row(t), x.columns);
    layerRow(y.row(t), sum.row(t), weight, bias, x.columns, op.eps);
  });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
