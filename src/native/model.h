// A loaded plan: weights, cache, arena and threads, and the walk through one step. Owned and called by one thread.
#pragma once
#include <atomic>
#include <string>
#include <vector>

#include "cache.h"
#include "context.h"
#include "memory.h"
#include "plan.h"
#include "step.h"
#include "thread_pool.h"
#include "weights.h"

namespace millrace {

struct LoadSpec {
  PlanSpec plan;
  Capacity capacity;
  std::vector<std::string> files;
  int32_t threads;  // 0: all that the process may use
  std::string isa;  // empty: the best
};

class Model {
 public:
  // Throws the errors of errors.h and std::invalid_argument for an unknown isa.
  explicit Model(LoadSpec spec);
  // Runs one step. Stops between instructions once `abandon` is set (the process is ending); the answer is then worthless.
  StepAnswer step(StepData data, const std::atomic<bool>& abandon);

  int64_t weightBytes() const { return weights_.bytes(); }
  int64_t cacheBytes() const { return cache_.bytes(); }
  int64_t arenaBytes() const { return static_cast<int64_t>(arena_.bytes()); }
  int threads() const { return pool_.threads(); }
  const char* isa() const { return kernels_.isa; }

  // For tests: a slot's first rows, and one layer's K and V ([n][kvHeads * dim]) at cache slots.
  SlotView slot(int32_t index) const;
  int32_t slotRows(int32_t index) const;
  void writeCache(int32_t group, int32_t layer, const std::vector<int32_t>& slots, float* keys, float* values);
  void readCache(int32_t group, int32_t layer, const std::vector<int32_t>& slots, float* keys, float* values) const;

 private:
  void layOutArena();
  Context context(const StepView& view, int32_t rows, int32_t rowStart);
  void walk(const std::vector<Instruction>& instructions, Context& context, const std::atomic<bool>& abandon) const;
  void runHead(const StepView& view, StepOutput& output, const std::atomic<bool>& abandon);
  // One head of a pooler over the token rows `rows`: its answers, and a fault for each row that is not finite.
  void runPooler(const std::vector<Instruction>& head, const ops::Operand& result, const std::vector<int32_t>& rows, StepView view,
                 std::vector<float>& answers, std::vector<uint8_t>& faults, const std::atomic<bool>& abandon);

  PlanSpec plan_;
  Capacity capacity_;
  const KernelTable& kernels_;
  Program program_;
  ThreadPool pool_;
  ScratchBuffers scratch_;
  WeightTable weights_;
  KvCache cache_;
  Memory arena_;
  std::vector<SlotView> slots_;
  std::vector<int32_t> drawn_;  // the last step's tokens
  std::vector<float> sums_;     // [maxSequences][carryWidth]
};

}  // namespace millrace
