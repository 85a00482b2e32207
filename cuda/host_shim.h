// CUDA's words on a host: a grid is a loop, a block's threads are fibers that take turns at each synchronisation.
// It proves a kernel's indexing, barriers and arithmetic where there is no GPU; it says nothing about races between blocks.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static  // one block runs at a time

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
inline dim3 gridDim, blockDim, blockIdx, threadIdx;

namespace millrace::shim {
// Runs `body` once for every thread of every block; ends the process when a block's threads wait for each other for ever.
void run(dim3 grid, dim3 block, const std::function<void()>& body);
void waitForBlock();
float exchangeInWarp(float value, int laneMask);
}  // namespace millrace::shim

#define MILLRACE_LAUNCH(kernel, grid, block, ...) \
  ::millrace::shim::run(grid, block, [=] { kernel(__VA_ARGS__); })

inline void __syncthreads() { millrace::shim::waitForBlock(); }
inline float __shfl_xor_sync(unsigned, float value, int laneMask) {
  return millrace::shim::exchangeInWarp(value, laneMask);
}

// The runtime calls that module.cu makes, over host memory.
using cudaError_t = int;
constexpr cudaError_t cudaSuccess = 0;
constexpr cudaError_t cudaErrorMemoryAllocation = 2;
constexpr cudaError_t cudaErrorInsufficientDriver = 35;
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost };
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  int major, minor;
};
inline const char* cudaGetErrorString(cudaError_t) { return "out of host memory"; }
inline cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
inline cudaError_t cudaSetDevice(int) { return cudaSuccess; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* facts, int) {
  std::snprintf(facts->name, sizeof facts->name, "host shim");
  facts->totalGlobalMem = size_t{1} << 30;
  facts->major = facts->minor = 0;
  return cudaSuccess;
}
inline cudaError_t cudaMalloc(void** memory, size_t bytes) {
  return (*memory = std::malloc(bytes ? bytes : 1)) ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaFree(void* memory) { return std::free(memory), cudaSuccess; }
inline cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  return bytes ? (void)std::memcpy(to, from, bytes) : void(), cudaSuccess;
}
inline cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
