// Every op that has a kernel. An overload here is what `implements` answers by: declare it, define it in <stem>.cu.
// `m` are the operands in the struct's order. Answers null, or one sentence about the operands that do not fit.
#pragma once
#include "../src/native/cuda_abi.h"

namespace millrace::cuda {

using Refusal = const char*;

Refusal launch(const ops::Embed& op, const DeviceMatrix* m, const DeviceStep& step);          // embed.cu
Refusal launch(const ops::RmsNorm& op, const DeviceMatrix* m, const DeviceStep& step);        // norm.cu
Refusal launch(const ops::LayerNorm& op, const DeviceMatrix* m, const DeviceStep& step);
Refusal launch(const ops::AddRmsNorm& op, const DeviceMatrix* m, const DeviceStep& step);
Refusal launch(const ops::AddLayerNorm& op, const DeviceMatrix* m, const DeviceStep& step);
Refusal launch(const ops::Rotary& op, const DeviceMatrix* m, const DeviceStep& step);         // rope.cu
Refusal launch(const ops::Rope& op, const DeviceMatrix* m, const DeviceStep& step);
Refusal launch(const ops::KvWrite& op, const DeviceMatrix* m, const DeviceStep& step);
Refusal launch(const ops::RopeKvWrite& op, const DeviceMatrix* m, const DeviceStep& step);

}  // namespace millrace::cuda
