// The kernels of one instruction set, gathered by table.cpp.
#pragma once
#include "../../context.h"
#include "../simd.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

void embed(const void* op, Context& context);
void linear(const void* op, Context& context);
void rmsNorm(const void* op, Context& context);
void layerNorm(const void* op, Context& context);
void addRmsNorm(const void* op, Context& context);
void addLayerNorm(const void* op, Context& context);
void rotary(const void* op, Context& context);
void rope(const void* op, Context& context);
void kvWrite(const void* op, Context& context);
void ropeKvWrite(const void* op, Context& context);
void attention(const void* op, Context& context);
void activation(const void* op, Context& context);
void gatedActivation(const void* op, Context& context);
void add(const void* op, Context& context);
void gatherRows(const void* op, Context& context);
void encoderAttention(const void* op, Context& context);
void runningMean(const void* op, Context& context);
void pack(const PackSource& source, int32_t row, ops::Dtype dtype, void* packed);
void sample(const Matrix& logits, int32_t firstRow, StepOutput& output, Context& context);
void readKv(const KvLayer& layer, int64_t slot, int32_t head, float* key, float* value);

// fn(row) for every row, several rows a task so that a task does some microseconds of work. One task runs on the caller.
template <class F> inline void eachRow(Context& context, int rows, int columns, F&& fn) {
  const int perTask = 1 + 16384 / (columns + 1);
  if (rows <= perTask) {
    for (int r = 0; r < rows; r++) fn(r);
    return;
  }
  context.parallel((rows + perTask - 1) / perTask, [&](int task, int) {
    const int end = (task + 1) * perTask < rows ? (task + 1) * perTask : rows;
    for (int r = task * perTask; r < end; r++) fn(r);
  });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
