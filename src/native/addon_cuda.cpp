#include "addon_cuda.h"

#include "cuda_module.h"

namespace millrace::js {

Napi::Value cudaInfo(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  const cuda::Module module = cuda::loadModule(cuda::modulePath());
  auto devices = Napi::Array::New(env);
  for (const cuda::Device& device : module.devices) {
    auto entry = Napi::Object::New(env);
    entry.Set("name", device.name);
    entry.Set("memoryBytes", static_cast<double>(device.memoryBytes));
    entry.Set("computeCapability", std::to_string(device.major) + "." + std::to_string(device.minor));
    devices.Set(devices.Length(), entry);
  }
  auto info = Napi::Object::New(env);
  info.Set("devices", devices);
  info.Set("reason", module.reason);
  return info;
}

}  // namespace millrace::js
