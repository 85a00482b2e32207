// The module's entry: devices, memory and the launch of one instruction, behind src/native/cuda_abi.h.
#include <cstdio>
#include <cstring>
#include <type_traits>
#include <utility>

#include "kernels.h"
#include "launch.h"

namespace millrace::cuda {
namespace {

// Whether kernels.h declares a launch for the op's struct. C++17: what every nvcc and CMake that we meet can say.
template <class Struct, class = void>
constexpr bool hasKernel = false;
template <class Struct>
constexpr bool hasKernel<Struct, std::void_t<decltype(launch(std::declval<const Struct&>(), nullptr,
                                                             std::declval<const DeviceStep&>()))>> = true;

int32_t refuse(Failure* failure, const char* where, const char* reason) {
  std::snprintf(failure->reason, sizeof failure->reason, "%s: %s", where, reason);
  return 1;
}

int32_t judge(cudaError_t status, const char* where, Failure* failure) {
  return status == cudaSuccess ? 0 : refuse(failure, where, cudaGetErrorString(status));
}

int32_t deviceCount(int32_t* count, Failure* failure) {
  const cudaError_t status = cudaGetDeviceCount(count);
  if (status == cudaErrorInsufficientDriver)  // also the answer where there is no driver at all
    return refuse(failure, "counting devices", "there is no NVIDIA driver, or one older than this module's CUDA needs");
  return judge(status, "counting devices", failure);
}

int32_t describe(int32_t device, DeviceFacts* facts, Failure* failure) {
  cudaDeviceProp found;
  if (judge(cudaGetDeviceProperties(&found, device), "describing a CUDA device", failure)) return 1;
  std::snprintf(facts->name, sizeof facts->name, "%.127s", found.name);
  facts->memoryBytes = found.totalGlobalMem;
  facts->major = found.major;
  facts->minor = found.minor;
  return 0;
}

int32_t select(int32_t device, Failure* failure) { return judge(cudaSetDevice(device), "selecting a device", failure); }

int32_t implements(int32_t op) {
  bool answer = false;
  ops::dispatch(static_cast<ops::Op>(op), [&](auto* op) { answer = hasKernel<std::decay_t<decltype(*op)>>; });
  return answer;
}

int32_t allocate(uint64_t bytes, void** memory, Failure* failure) {
  return judge(cudaMalloc(memory, bytes), "allocating device memory", failure);
}
int32_t release(void* memory, Failure* failure) { return judge(cudaFree(memory), "freeing device memory", failure); }
int32_t upload(void* to, const void* from, uint64_t bytes, Failure* failure) {
  return judge(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copying to the device", failure);
}
int32_t download(void* to, const void* from, uint64_t bytes, Failure* failure) {
  return judge(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "copying from the device", failure);
}

int32_t launchInstruction(const int32_t* words, const DeviceMatrix* operands, const DeviceStep* step, Failure* failure) {
  Refusal refusal = "no op has this number";
  ops::dispatch(static_cast<ops::Op>(words[0]), [&](auto* type) {
    using Struct = std::decay_t<decltype(*type)>;
    if constexpr (hasKernel<Struct>) {
      if (words[1] * sizeof(int32_t) != sizeof(Struct)) {
        refusal = "the instruction's length is not its struct's";
        return;
      }
      Struct op;
      std::memcpy(&op, words + 2, sizeof op);
      refusal = launch(op, operands, *step);
    } else {
      refusal = "this op has no CUDA kernel";
    }
  });
  if (refusal) return refuse(failure, "launching an instruction", refusal);
  return judge(cudaGetLastError(), "launching a kernel", failure);
}

int32_t synchronize(Failure* failure) { return judge(cudaDeviceSynchronize(), "running kernels", failure); }

constexpr ModuleFunctions functions = {abiVersion, ops::tableHash, deviceCount, describe, select,
                                       implements, allocate,       release,     upload,   download,
                                       launchInstruction, synchronize};

}  // namespace
}  // namespace millrace::cuda

extern "C" __attribute__((visibility("default"))) const millrace::cuda::ModuleFunctions* millraceCudaModule() {
  return &millrace::cuda::functions;
}
