#pragma once
#include <napi.h>

namespace millrace::js {

// cudaInfo(): { devices: [{ name, memoryBytes, computeCapability }], reason }; reason says why devices is empty.
Napi::Value cudaInfo(const Napi::CallbackInfo& call);

}  // namespace millrace::js
