#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cuda_abi.h"

namespace millrace::cuda {

struct Device {
  std::string name;
  uint64_t memoryBytes;
  int32_t major, minor;
};

// The CUDA module and what it sees. `devices` is empty exactly when `reason` says, as the end of a sentence, why.
// `functions` is null when the module could not be loaded; loaded, it stays for the life of the process.
struct Module {
  const ModuleFunctions* functions = nullptr;
  std::vector<Device> devices;
  std::string reason;
};

// Loads the module at `path`. Never throws: a machine without CUDA is an ordinary machine.
Module loadModule(const std::string& path);

// Where the build puts the module: beside the library that holds this code.
std::string modulePath();

}  // namespace millrace::cuda
