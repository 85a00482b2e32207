#include "device.h"
#include "kernels.h"

namespace millrace::cuda {
namespace {

// Where a token's K and V go, and how wide a slot is.
struct Target {
  DeviceCache cache;
  const int32_t* slots;
  int32_t tokens, blockSize;
  Dtype dtype;
};

// table[t, i] = scale * cos(angle), table[t, R/2 + i] = scale * sin(angle). One block a token.
__global__ void rotaryRow(DeviceMatrix table, DeviceMatrix frequency, const int32_t* positions, float scale) {
  const int half = table.columns / 2;
  float* out = row(table, blockIdx.x);
  for (int i = threadIdx.x; i < half; i += blockDim.x) {
    const float angle = static_cast<float>(positions[blockIdx.x]) * vector(frequency)[i];
    out[i] = cosf(angle) * scale;
    out[half + i] = sinf(angle) * scale;
  }
}

// Turns the heads of one row and hands each value to put(column, value). A pair is one thread's: y may be x.
template <class Put>
__device__ void rotateRow(const float* x, const float* table, int columns, int heads, int R, bool interleaved, Put put) {
  const int D = columns / heads, half = R / 2;
  for (int pair = threadIdx.x; pair < heads * half; pair += blockDim.x) {
    const int i = pair % half, head = pair / half * D;
    const int a = head + (interleaved ? 2 * i : i), b = head + (interleaved ? 2 * i + 1 : i + half);
    const float cosine = table[i], sine = table[half + i], xa = x[a], xb = x[b];
    put(a, xa * cosine - xb * sine);
    put(b, xb * cosine + xa * sine);
  }
  for (int rest = threadIdx.x; rest < heads * (D - R); rest += blockDim.x) {
    const int column = rest / (D - R) * D + R + rest % (D - R);
    put(column, x[column]);
  }
}

__global__ void ropeRow(DeviceMatrix y, DeviceMatrix x, DeviceMatrix table, int heads, bool interleaved) {
  float* out = row(y, blockIdx.x);
  rotateRow(row(x, blockIdx.x), row(table, blockIdx.x), x.columns, heads, table.columns, interleaved,
            [=](int column, float value) { out[column] = value; });
}

// Writes the row's V. The token that opens a block also clears the block's V rows that no token of this step writes, so
// that nothing stale is ever multiplied; a sequence's tokens lie one after another, so its next ones have the next slots.
__device__ void writeValues(const Target& to, const float* v, int columns) {
  const int t = blockIdx.x, slot = to.slots[t];
  for (int i = threadIdx.x; i < columns; i += blockDim.x)
    store(to.cache.values, to.dtype, static_cast<int64_t>(slot) * columns + i, v[i]);
  if (slot % to.blockSize != 0) return;
  for (int offset = 1; offset < to.blockSize; offset++) {
    if (t + offset < to.tokens && to.slots[t + offset] == slot + offset) continue;
    for (int i = threadIdx.x; i < columns; i += blockDim.x)
      store(to.cache.values, to.dtype, static_cast<int64_t>(slot + offset) * columns + i, 0.0f);
  }
}

__global__ void kvWriteRow(DeviceMatrix k, DeviceMatrix v, Target to) {
  const int64_t at = static_cast<int64_t>(to.slots[blockIdx.x]) * k.columns;
  const float* key = row(k, blockIdx.x);
  for (int i = threadIdx.x; i < k.columns; i += blockDim.x) store(to.cache.keys, to.dtype, at + i, key[i]);
  writeValues(to, row(v, blockIdx.x), v.columns);
}

__global__ void ropeKvWriteRow(DeviceMatrix y, DeviceMatrix q, DeviceMatrix k, DeviceMatrix v, DeviceMatrix table,
                               int heads, int kvHeads, bool interleaved, Target to) {
  const unsigned t = blockIdx.x;
  float* out = row(y, t);
  rotateRow(row(q, t), row(table, t), q.columns, heads, table.columns, interleaved,
            [=](int column, float value) { out[column] = value; });
  const int64_t at = static_cast<int64_t>(to.slots[t]) * k.columns;
  rotateRow(row(k, t), row(table, t), k.columns, kvHeads, table.columns, interleaved,
            [=](int column, float value) { store(to.cache.keys, to.dtype, at + column, value); });
  writeValues(to, row(v, t), v.columns);
}

// False when the step has no such group or layer.
bool target(const DeviceStep& step, int32_t group, int32_t layer, Dtype dtype, Target* to) {
  if (group < 0 || group >= step.groupCount || layer < 0 || layer >= step.groups[group].layerCount) return false;
  const DeviceCacheGroup& g = step.groups[group];
  *to = Target{g.layers[layer], g.slots, step.tokenCount, step.blockSize, dtype};
  return true;
}

bool headsFit(const DeviceMatrix& x, int heads, int R) {
  return heads > 0 && x.columns % heads == 0 && R % 2 == 0 && R <= x.columns / heads;
}

}  // namespace

Refusal launch(const ops::Rotary& op, const DeviceMatrix* m, const DeviceStep& step) {
  const DeviceMatrix &table = m[0], &frequency = m[1];
  if (table.columns != 2 * frequency.columns) return "rotary: table[T,R] is not twice as wide as frequency[R/2]";
  if (table.rows != step.tokenCount) return "rotary: table[T,R] has not one row a token of the step";
  if (table.rows > 0)
    MILLRACE_LAUNCH(rotaryRow, table.rows, threadsFor(frequency.columns), table, frequency, step.positions, op.scale);
  return nullptr;
}

Refusal launch(const ops::Rope& op, const DeviceMatrix* m, const DeviceStep&) {
  const DeviceMatrix &y = m[0], &x = m[1], &table = m[2];
  if (x.rows != y.rows || x.columns != y.columns || table.rows < y.rows) return "rope: y and x are not [T,G*D] with table[T,R]";
  if (!headsFit(x, op.heads, table.columns)) return "rope: x[T,G*D] does not split into G heads of D >= R columns";
  if (y.rows > 0) MILLRACE_LAUNCH(ropeRow, y.rows, threadsFor(x.columns), y, x, table, op.heads, op.interleaved != 0);
  return nullptr;
}

Refusal launch(const ops::KvWrite& op, const DeviceMatrix* m, const DeviceStep& step) {
  const DeviceMatrix &k = m[0], &v = m[1];
  Target to;
  if (!target(step, op.group, op.layer, op.dtype, &to)) return "kvWrite: the step has no such cache group or layer";
  if (k.rows != step.tokenCount || v.rows != k.rows) return "kvWrite: k and v have not one row a token of the step";
  if (k.rows > 0) MILLRACE_LAUNCH(kvWriteRow, k.rows, threadsFor(k.columns), k, v, to);
  return nullptr;
}

Refusal launch(const ops::RopeKvWrite& op, const DeviceMatrix* m, const DeviceStep& step) {
  const DeviceMatrix &y = m[0], &q = m[1], &k = m[2], &v = m[3], &table = m[4];
  Target to;
  if (!target(step, op.group, op.layer, op.dtype, &to)) return "ropeKvWrite: the step has no such cache group or layer";
  if (q.rows != step.tokenCount || y.rows != q.rows || k.rows != q.rows || v.rows != q.rows || table.rows < q.rows)
    return "ropeKvWrite: operands have not one row a token of the step";
  if (y.columns != q.columns || !headsFit(q, op.heads, table.columns) || !headsFit(k, op.kvHeads, table.columns))
    return "ropeKvWrite: q[T,A*D] or k[T,G*D] does not split into heads of D >= R columns";
  if (q.rows > 0)
    MILLRACE_LAUNCH(ropeKvWriteRow, q.rows, threadsFor(q.columns), y, q, k, v, table, op.heads, op.kvHeads,
                    op.interleaved != 0, to);
  return nullptr;
}

}  // namespace millrace::cuda
