// Rotary position embedding and the writing of K and V. y[a] = x[a] cos - x[b] sin, y[b] = x[b] cos + x[a] sin over the pairs
// (a, b) of a head: (i, i + R/2), or (2i, 2i + 1) when interleaved. The second product is fused, the first is rounded.
#include "kernels.h"
#include "kvWrite.h"
#include "math.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

// One head of D columns; y may be x. cosines [half], then sines [half].
void turnHead(float* y, const float* x, const float* table, int half, int D, bool interleaved) {
  if (y != x && D > 2 * half) std::memcpy(y + 2 * half, x + 2 * half, sizeof(float) * static_cast<size_t>(D - 2 * half));
  if (interleaved) {
    for (int i = 0; i < half; i++) {
      const float a = x[2 * i], b = x[2 * i + 1], c = table[i], s = table[half + i];
      y[2 * i] = __builtin_fmaf(a, c, -(b * s));
      y[2 * i + 1] = __builtin_fmaf(b, c, a * s);
    }
    return;
  }
  for (int i = 0; i < half; i += lanes) {
    const int n = half - i;
    const V a = loadPart(x + i, n), b = loadPart(x + half + i, n), c = loadPart(table + i, n), s = loadPart(table + half + i, n);
    storePart(y + i, fma(a, c, set(0.f) - b * s), n);
    storePart(y + half + i, fma(b, c, a * s), n);
  }
}

void turnRow(float* y, const float* x, const float* table, int R, int heads, int D, bool interleaved) {
  for (int head = 0; head < heads; head++) turnHead(y + head * D, x + head * D, table, R / 2, D, interleaved);
}

// write(t) for all tokens of one kv head, in order; heads in parallel where there is enough to do.
template <class F> void eachHead(Context& context, int heads, int width, F&& write) {
  const int tokens = context.rows;
  const auto task = [&](int head, int) {
    for (int t = 0; t < tokens; t++) write(t, head);
  };
  if (static_cast<int64_t>(tokens) * heads * width < 16384)
    for (int head = 0; head < heads; head++) task(head, 0);
  else context.parallel(heads, task);
}

}  // namespace

void rotary(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::Rotary*>(raw);
  const Matrix table = context.matrix(op.table);
  const float* frequency = context.vector(op.frequency);
  const int half = table.columns / 2;
  eachRow(context, table.rows, 32 * half, [&](int t) {
    const float position = static_cast<float>(context.step->positions[t]);
    float* row = table.row(t);
    for (int i = 0; i < half; i++) {
      double sine, cosine;
      sinCos(position * frequency[i], sine, cosine);
      row[i] = static_cast<float>(cosine * static_cast<double>(op.scale));
      row[half + i] = static_cast<float>(sine * static_cast<double>(op.scale));
    }
  });
}

void rope(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::Rope*>(raw);
  const Matrix y = context.matrix(op.y), x = context.matrix(op.x), table = context.matrix(op.table);
  eachRow(context, x.rows, x.columns, [&](int t) {
    turnRow(y.row(t), x.row(t), table.row(t), table.columns, op.heads, x.columns / op.heads, op.interleaved != 0);
  });
}

void kvWrite(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::KvWrite*>(raw);
  const Matrix k = context.matrix(op.k), v = context.matrix(op.v);
  const KvLayer& layer = context.kv(op.group, op.layer);
  const int32_t* slots = context.step->groups[op.group].slots;
  withFormat(layer.dtype, [&](auto format) {
    const Cells<decltype(format)> cells{layer};
    eachHead(context, op.kvHeads, layer.keyDim + layer.valueDim, [&](int t, int head) {
      writeToken(cells, slots[t], head, k.row(t) + head * layer.keyDim, v.row(t) + head * layer.valueDim);
    });
  });
}

void ropeKvWrite(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::RopeKvWrite*>(raw);
  const Matrix y = context.matrix(op.y), q = context.matrix(op.q), k = context.matrix(op.k), v = context.matrix(op.v);
  const Matrix table = context.matrix(op.table);
  const bool interleaved = op.interleaved != 0;
  const KvLayer& layer = context.kv(op.group, op.layer);
  const int32_t* slots = context.step->groups[op.group].slots;
  eachRow(context, q.rows, q.columns, [&](int t) {
    turnRow(y.row(t), q.row(t), table.row(t), table.columns, op.heads, q.columns / op.heads, interleaved);
  });
  withFormat(layer.dtype, [&](auto format) {
    const Cells<decltype(format)> cells{layer};
    eachHead(context, op.kvHeads, layer.keyDim + layer.valueDim, [&](int t, int head) {
      alignas(64) float turned[maxHeadDim];
      turnHead(turned, k.row(t) + head * layer.keyDim, table.row(t), table.columns / 2, layer.keyDim, interleaved);
      writeToken(cells, slots[t], head, turned, v.row(t) + head * layer.valueDim);
    });
  });
}

void readKv(const KvLayer& layer, int64_t slot, int32_t head, float* key, float* value) {
  const int64_t block = slot / layer.blockSize;
  const int offset = static_cast<int>(slot % layer.blockSize);
  withFormat(layer.dtype, [&](auto format) {
    using F = decltype(format);
    const Cells<F> cells{layer};
    const auto widen = [](typename F::Store x) {
      const typename F::Store sixteen[lanes] = {x};
      alignas(64) float wide[lanes];
      store(wide, F::widen(sixteen));
      return wide[0];
    };
    for (int d = 0; d < layer.keyDim; d++) key[d] = widen(cells.key(block, head)[cells.keyAt(offset, d)]);
    for (int e = 0; e < layer.valueDim; e++) value[e] = widen(cells.value(block, head)[cells.valueAt(offset, e)]);
  });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
