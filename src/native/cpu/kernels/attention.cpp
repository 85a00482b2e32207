// Paged causal attention.
#include "attend.h"
#include "kernels.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

void attention(const void* raw, Context& context) {
  const auto& op = *static_cast<const ops::Attention*>(raw);
  const KvLayer& layer = context.kv(op.group, op.layer);
  const StepGroup& group = context.step->groups[op.group];
  withFormat(layer.dtype, [&](auto format) {
    using F = decltype(format);
    const Job<F> job{context,  Cells<F>{layer}, context.matrix(op.q),    context.matrix(op.y), group.blockTables, group.blockTableStarts, {true, op.window, 0},
                     op.scale, op.kvHeads,      op.heads / op.kvHeads, op.headDim,           op.valueDim};
    const Division<F> division(job);
    attend(job, division, static_cast<char*>(context.workspace(division.bytes())));
  });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
