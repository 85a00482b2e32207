#include "device.h"
#include "kernels.h"

namespace millrace::cuda {
namespace {

// y[h] = x[h] / sqrt(mean(x^2) + eps) * weight[h]. A thread reads only the columns that it writes: y may be x.
__device__ void rmsRow(float* y, const float* x, const float* weight, int H, float eps) {
  float square = 0;
  for (int h = threadIdx.x; h < H; h += blockDim.x) square += x[h] * x[h];
  const float scale = 1 / sqrtf(blockSum(square) / H + eps);
  for (int h = threadIdx.x; h < H; h += blockDim.x) y[h] = x[h] * scale * weight[h];
}

// y[h] = (x[h] - mean) / sqrt(variance + eps) * weight[h] + bias[h], the mean in a pass of its own. bias may be null.
__device__ void layerRow(float* y, const float* x, const float* weight, const float* bias, int H, float eps) {
  float sum = 0;
  for (int h = threadIdx.x; h < H; h += blockDim.x) sum += x[h];
  const float mean = blockSum(sum) / H;
  float square = 0;
  for (int h = threadIdx.x; h < H; h += blockDim.x) square += (x[h] - mean) * (x[h] - mean);
  const float scale = 1 / sqrtf(blockSum(square) / H + eps);
  for (int h = threadIdx.x; h < H; h += blockDim.x) {
    const float v = (x[h] - mean) * scale * weight[h];
    y[h] = bias ? v + bias[h] : v;
  }
}

// sum may be the residual's own row. What a thread writes here, only it reads afterwards.
__device__ void addRow(float* sum, const float* x, const float* residual, int H) {
  for (int h = threadIdx.x; h < H; h += blockDim.x) sum[h] = x[h] + residual[h];
}

// One block a row and group.
__global__ void rmsNorm(DeviceMatrix y, DeviceMatrix x, DeviceMatrix weight, int H, float eps) {
  const int64_t group = static_cast<int64_t>(blockIdx.y) * H;
  rmsRow(row(y, blockIdx.x) + group, row(x, blockIdx.x) + group, vector(weight), H, eps);
}

__global__ void layerNorm(DeviceMatrix y, DeviceMatrix x, DeviceMatrix weight, DeviceMatrix bias, float eps) {
  layerRow(row(y, blockIdx.x), row(x, blockIdx.x), vector(weight), vector(bias), y.columns, eps);
}

__global__ void addRmsNorm(DeviceMatrix sum, DeviceMatrix y, DeviceMatrix x, DeviceMatrix residual,
                           DeviceMatrix weight, float eps) {
  const unsigned t = blockIdx.x;
  addRow(row(sum, t), row(x, t), row(residual, t), y.columns);
  rmsRow(row(y, t), row(sum, t), vector(weight), y.columns, eps);
}

__global__ void addLayerNorm(DeviceMatrix sum, DeviceMatrix y, DeviceMatrix x, DeviceMatrix residual,
                             DeviceMatrix weight, DeviceMatrix bias, float eps) {
  const unsigned t = blockIdx.x;
  addRow(row(sum, t), row(x, t), row(residual, t), y.columns);
  layerRow(row(y, t), row(sum, t), vector(weight), vector(bias), y.columns, eps);
}

bool sameShape(const DeviceMatrix& a, const DeviceMatrix& b) { return a.rows == b.rows && a.columns == b.columns; }
bool vectorOf(const DeviceMatrix& v, int H) { return v.data != nullptr && v.columns == H; }

}  // namespace

Refusal launch(const ops::RmsNorm& op, const DeviceMatrix* m, const DeviceStep&) {
  const DeviceMatrix &y = m[0], &x = m[1], &weight = m[2];
  const int H = weight.columns;
  if (!sameShape(x, y) || y.columns != op.groups * H) return "rmsNorm: y and x are not [T,G*H] with weight[H]";
  if (y.rows > 0) MILLRACE_LAUNCH(rmsNorm, dim3(y.rows, op.groups), threadsFor(H), y, x, weight, H, op.eps);
  return nullptr;
}

Refusal launch(const ops::LayerNorm& op, const DeviceMatrix* m, const DeviceStep&) {
  const DeviceMatrix &y = m[0], &x = m[1], &weight = m[2], &bias = m[3];
  if (!sameShape(x, y) || !vectorOf(weight, y.columns)) return "layerNorm: y and x are not [T,H] with weight[H]";
  if (bias.data && bias.columns != y.columns) return "layerNorm: bias is not [H]";
  if (y.rows > 0) MILLRACE_LAUNCH(layerNorm, y.rows, threadsFor(y.columns), y, x, weight, bias, op.eps);
  return nullptr;
}

Refusal launch(const ops::AddRmsNorm& op, const DeviceMatrix* m, const DeviceStep&) {
  const DeviceMatrix &sum = m[0], &y = m[1], &x = m[2], &residual = m[3], &weight = m[4];
  if (!sameShape(x, y) || !sameShape(sum, y) || !sameShape(residual, y)) return "addRmsNorm: operands are not all [T,H]";
  if (!vectorOf(weight, y.columns)) return "addRmsNorm: weight is not [H]";
  if (y.rows > 0) MILLRACE_LAUNCH(addRmsNorm, y.rows, threadsFor(y.columns), sum, y, x, residual, weight, op.eps);
  return nullptr;
}

Refusal launch(const ops::AddLayerNorm& op, const DeviceMatrix* m, const DeviceStep&) {
  const DeviceMatrix &sum = m[0], &y = m[1], &x = m[2], &residual = m[3], &weight = m[4], &bias = m[5];
  if (!sameShape(x, y) || !sameShape(sum, y) || !sameShape(residual, y)) return "addLayerNorm: operands are not all [T,H]";
  if (!vectorOf(weight, y.columns) || (bias.data && bias.columns != y.columns)) return "addLayerNorm: weight or bias is not [H]";
  if (y.rows > 0)
    MILLRACE_LAUNCH(addLayerNorm, y.rows, threadsFor(y.columns), sum, y, x, residual, weight, bias, op.eps);
  return nullptr;
}

}  // namespace millrace::cuda
