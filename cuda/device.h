// What kernels share: rows of operands, storage types, sums over a block.
#pragma once
#include "../src/native/cuda_abi.h"
#include "launch.h"
#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace millrace::cuda {

using ops::Dtype;

__device__ inline float* row(const DeviceMatrix& m, int64_t t) { return static_cast<float*>(m.data) + t * m.stride; }
__device__ inline const float* vector(const DeviceMatrix& m) { return static_cast<const float*>(m.data); }

__device__ inline float fromBfloat16(uint16_t stored) {
  const uint32_t bits = static_cast<uint32_t>(stored) << 16;
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// Nearest, ties to even; NaN stays NaN.
__device__ inline uint16_t toBfloat16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (x != x) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#ifdef __CUDACC__
__device__ inline float fromFloat16(uint16_t stored) { return __half2float(__ushort_as_half(stored)); }
__device__ inline uint16_t toFloat16(float x) { return __half_as_ushort(__float2half_rn(x)); }
#else
inline float fromFloat16(uint16_t stored) {
  _Float16 half;
  memcpy(&half, &stored, sizeof half);
  return half;
}
inline uint16_t toFloat16(float x) {
  const _Float16 half = static_cast<_Float16>(x);
  uint16_t stored;
  memcpy(&stored, &half, sizeof stored);
  return stored;
}
#endif

__device__ inline float load(const void* data, Dtype dtype, int64_t at) {
  if (dtype == Dtype::float32) return static_cast<const float*>(data)[at];
  const uint16_t stored = static_cast<const uint16_t*>(data)[at];
  return dtype == Dtype::bfloat16 ? fromBfloat16(stored) : fromFloat16(stored);
}

__device__ inline void store(void* data, Dtype dtype, int64_t at, float x) {
  if (dtype == Dtype::float32) static_cast<float*>(data)[at] = x;
  else static_cast<uint16_t*>(data)[at] = dtype == Dtype::bfloat16 ? toBfloat16(x) : toFloat16(x);
}

// The sum of `value` over the block, the same bits in every thread: a butterfly in each warp, then the warps in order.
// The order depends on the block's size alone. blockDim.x is a multiple of 32.
__device__ inline float blockSum(float value) {
  __shared__ float ofWarp[32];
  for (int lane = 16; lane > 0; lane /= 2) value += __shfl_xor_sync(0xffffffffu, value, lane);
  __syncthreads();  // the sum before this one has been read
  if (threadIdx.x % 32 == 0) ofWarp[threadIdx.x / 32] = value;
  __syncthreads();
  float sum = 0;
  for (unsigned warp = 0; warp < blockDim.x / 32; warp++) sum += ofWarp[warp];
  return sum;
}

// Threads for a row of `columns`: a function of the width alone, so that a row's bits do not depend on its batch.
inline unsigned threadsFor(int columns) { return columns <= 64 ? 32 : columns <= 512 ? 128 : 256; }

}  // namespace millrace::cuda
