#include "cuda_module.h"

#include <dlfcn.h>

#include <filesystem>

namespace millrace::cuda {
namespace {

Module without(std::string reason) {
  Module module;
  module.reason = std::move(reason);
  return module;
}

Module listDevices(const ModuleFunctions* functions) {
  Module module;
  module.functions = functions;
  Failure failure{};
  int32_t count = 0;
  if (functions->deviceCount(&count, &failure)) {
    module.reason = failure.reason;
    return module;
  }
  for (int32_t index = 0; index < count; index++) {
    DeviceFacts facts{};
    if (functions->describe(index, &facts, &failure)) {
      module.devices.clear();
      module.reason = failure.reason;
      return module;
    }
    module.devices.push_back({facts.name, facts.memoryBytes, facts.major, facts.minor});
  }
  if (count == 0) module.reason = "the CUDA driver lists no device";
  return module;
}

}  // namespace

Module loadModule(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return without("this build has no CUDA module (" + path + "): no nvcc was found when it was built");
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return without(std::string("the CUDA module does not load: ") + dlerror());
  const auto entry = reinterpret_cast<Entry>(dlsym(library, entryName));
  if (!entry) return without(path + " exports no " + entryName);
  const ModuleFunctions* functions = entry();
  if (functions->version != abiVersion || functions->tableHash != ops::tableHash)
    return without(path + " was built from another version of Millrace: build it anew");
  return listDevices(functions);
}

std::string modulePath() {
  Dl_info self{};
  if (!dladdr(reinterpret_cast<const void*>(&modulePath), &self) || !self.dli_fname) return "millrace_cuda.so";
  return (std::filesystem::path(self.dli_fname).parent_path() / "millrace_cuda.so").string();
}

}  // namespace millrace::cuda
