// Between JavaScript values and the runtime's plain data. Throws Napi errors for a value of the wrong type.
#pragma once
#include <napi.h>

#include <exception>
#include <string>
#include <vector>

#include "model.h"

namespace millrace::js {

template <class T>
constexpr napi_typedarray_type arrayType() {
  if constexpr (std::is_same_v<T, int32_t>) return napi_int32_array;
  if constexpr (std::is_same_v<T, uint32_t>) return napi_uint32_array;
  if constexpr (std::is_same_v<T, uint8_t>) return napi_uint8_array;
  if constexpr (std::is_same_v<T, float>) return napi_float32_array;
  if constexpr (std::is_same_v<T, double>) return napi_float64_array;
}

// Copies a typed array: nothing of JavaScript's memory is held on to.
template <class T>
std::vector<T> toVector(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != arrayType<T>())
    throw Napi::TypeError::New(value.Env(), std::string(name) + " is not a typed array of the expected kind");
  const auto array = value.As<Napi::TypedArrayOf<T>>();
  return std::vector<T>(array.Data(), array.Data() + array.ElementLength());
}

template <class T>
std::vector<T> field(const Napi::Object& object, const char* name) {
  return toVector<T>(object.Get(name), name);
}

template <class T>
Napi::TypedArrayOf<T> fromVector(Napi::Env env, const std::vector<T>& values) {
  auto array = Napi::TypedArrayOf<T>::New(env, values.size(), arrayType<T>());
  if (!values.empty()) std::copy(values.begin(), values.end(), array.Data());
  return array;
}

// What src/layers/backend/addon.ts sends to load().
LoadSpec loadSpec(const Napi::Object& request);
// domain/batch/step.ts
StepData stepData(const Napi::Object& input);
Napi::Object stepResult(Napi::Env env, const StepAnswer& answer);
// An Error whose `kind` is "checkpoint", "memory", "plan", "device" or "step".
Napi::Value error(Napi::Env env, const std::exception_ptr& cause);

}  // namespace millrace::js
