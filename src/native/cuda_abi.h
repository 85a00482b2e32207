// The boundary between the addon and the CUDA module, a shared library of its own: the addon loads and runs where no CUDA
// is installed. Plain structs and C function pointers; both sides compare `version` and `tableHash` before anything else.
#pragma once
#include <cstdint>

#include "ops.h"

namespace millrace::cuda {

// Raise it with any change to this file; a change of the op table shows in ops::tableHash by itself.
constexpr uint32_t abiVersion = 2;

// An operand resolved by the runtime: device memory, row-major, `stride` elements from row to row. Borrowed for the launch.
// data null: the operand is absent. dtype is float32 for all but an embedding table.
struct DeviceMatrix {
  void* data;
  int64_t stride;
  int32_t rows, columns;
  ops::Dtype dtype;
};

// One layer's cache, [slot][kvHeads][dim] in the cache's dtype; slot = block * blockSize + offset. Private to this backend.
struct DeviceCache {
  void* keys;
  void* values;
};

struct DeviceCacheGroup {
  const int32_t* slots;       // device, [T]
  const DeviceCache* layers;  // host, [layerCount]
  int32_t layerCount;
};

// What an op sees of the step beside its operands.
struct DeviceStep {
  const int32_t* tokenIds;   // device, [T]
  const int32_t* positions;  // device, [T]
  const int32_t* tokenTypes; // device, [T]
  int32_t tokenCount;
  int32_t blockSize;
  const DeviceCacheGroup* groups;  // host, [groupCount]
  int32_t groupCount;
};

struct DeviceFacts {
  char name[128];
  uint64_t memoryBytes;
  int32_t major, minor;  // compute capability
};

// A refusal: the function answers non-zero and puts one sentence here.
struct Failure {
  char reason[256];
};

struct ModuleFunctions {
  uint32_t version;    // abiVersion
  uint32_t tableHash;  // ops::tableHash
  int32_t (*deviceCount)(int32_t* count, Failure* failure);
  int32_t (*describe)(int32_t device, DeviceFacts* facts, Failure* failure);
  int32_t (*select)(int32_t device, Failure* failure);  // the device of the calls that follow on this thread
  int32_t (*implements)(int32_t op);                    // 1: there is a kernel
  int32_t (*allocate)(uint64_t bytes, void** memory, Failure* failure);
  int32_t (*release)(void* memory, Failure* failure);
  int32_t (*upload)(void* to, const void* from, uint64_t bytes, Failure* failure);
  int32_t (*download)(void* to, const void* from, uint64_t bytes, Failure* failure);
  // Queues one instruction ([op, words, struct words...]) with its operands in the struct's order. Operands are checked here.
  int32_t (*launch)(const int32_t* instruction, const DeviceMatrix* operands, const DeviceStep* step, Failure* failure);
  int32_t (*synchronize)(Failure* failure);
};

// The one symbol that the module exports.
constexpr const char* entryName = "millraceCudaModule";
using Entry = const ModuleFunctions* (*)();

}  // namespace millrace::cuda
