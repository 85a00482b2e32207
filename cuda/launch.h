// What a .cu file includes: CUDA itself under nvcc, the host shim under a C++ compiler.
#pragma once
#ifdef __CUDACC__
#include <cuda_runtime.h>
#define MILLRACE_LAUNCH(kernel, grid, block, ...) kernel<<<grid, block>>>(__VA_ARGS__)
#else
#include "host_shim.h"
#endif
