// What a kernel needs around it, without the runtime: a step, slots, weights, caches, and two ways to run tiles.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>
#if defined(__SSE__)
#include <immintrin.h>
#endif

#include "context.h"

namespace millrace::test {

// Every instruction family that there is; a machine may lack some.
inline constexpr const char* families[] = {"portable", "avx2", "avx512", "avx512bf16", "amx"};

// Denormals are zero, as on every compute thread.
inline void flushDenormals() {
#if defined(__SSE__)
  _mm_setcsr(_mm_getcsr() | 0x8040);
#elif defined(__aarch64__)
  uint64_t fpcr;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  asm volatile("msr fpcr, %0" ::"r"(fpcr | (1ull << 24)));
#endif
}

// xorshift64*: the same inputs on every machine, with exact arithmetic only.
class Random {
 public:
  explicit Random(uint64_t seed) : state(seed * 0x9E3779B97F4A7C15ull + 1) {}
  uint64_t next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1Dull;
  }
  // Sum of four uniforms, near enough to a normal of deviation `scale`.
  float normal(float scale = 1) {
    double sum = 0;
    for (int i = 0; i < 4; i++) sum += static_cast<double>(next() >> 40) * 0x1p-24 - 0.5;
    return static_cast<float>(sum * 1.75) * scale;
  }
  int below(int n) { return static_cast<int>((next() >> 33) % static_cast<uint64_t>(n)); }

 private:
  uint64_t state;
};

// One thread in order; or, `scrambled`, four pretended threads from the last tile to the first.
struct Tiles final : Parallel {
  bool scrambled = false;
  int threads() const override { return scrambled ? 4 : 1; }
  void run(int tiles, Task task, void* state) override {
    for (int i = 0; i < tiles; i++) scrambled ? task(state, tiles - 1 - i, i % 4) : task(state, i, 0);
  }
};

// Fresh memory at each request, filled with NaN: a kernel that reads what it did not write shows.
struct Memory final : Scratch {
  std::deque<std::vector<float>> held;
  void* take(size_t bytes) {
    held.emplace_back(bytes / 4 + 33, __builtin_nanf(""));
    if (held.size() > 64) held.pop_front();
    return reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(held.back().data()) + 63) & ~uintptr_t{63});
  }
  std::vector<float> whole;
  void* forThread(int, size_t bytes) override { return take(bytes); }
  void* forOp(size_t bytes) override {
    whole.assign(bytes / 4 + 33, __builtin_nanf(""));
    return reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(whole.data()) + 63) & ~uintptr_t{63});
  }
};

// A sequence of a step: `cached` tokens are in the cache already.
struct Part {
  int cached, tokens;
};

// One group, one layer, and as many slots and weights as are added.
class Bench {
 public:
  Bench(const KernelTable& kernels, bool scrambled) : kernels(kernels) {
    tiles.scrambled = scrambled;
    step.groupCount = 1;
    step.groups = &group;
  }
  Bench(const Bench&) = delete;

  ops::Operand slot(const std::vector<float>& values, int columns) {
    data.push_back(values);
    slots.push_back({data.back().data(), columns, false});
    return {1, static_cast<int32_t>(slots.size() - 1), 0, columns};
  }
  ops::Operand empty(int columns) { return slot(std::vector<float>(static_cast<size_t>(rows()) * static_cast<size_t>(columns), 0.f), columns); }
  ops::Operand vector(const std::vector<float>& values) {
    data.push_back(values);
    weights.push_back({WeightKind::vector, ops::Dtype::float32, 1, static_cast<int32_t>(values.size()), data.back().data()});
    return {2, static_cast<int32_t>(weights.size() - 1), 0, 0};
  }
  // [N][K] float32 values, packed as `dtype`.
  ops::Operand linear(const std::vector<float>& values, int N, int K, ops::Dtype dtype) {
    data.emplace_back(static_cast<size_t>(packedLinearBytes(N, K, dtype)) / 4 + 16, 0.f);
    void* packed = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(data.back().data()) + 63) & ~uintptr_t{63});
    kernels.pack({values.data(), ops::Dtype::float32, K, 1, N, K}, 0, dtype, packed);
    weights.push_back({WeightKind::linear, dtype, N, K, packed});
    return {2, static_cast<int32_t>(weights.size() - 1), 0, 0};
  }
  // Gives sequences of these lengths their blocks, in a scattered order, and an empty cache.
  void cache(const std::vector<int>& tokens, int kvHeads, int keyDim, int valueDim, int blockSize, ops::Dtype dtype) {
    int total = 1, next = 0;
    for (const int length : tokens) total += (length + blockSize - 1) / blockSize;
    if (total > 1 && (total - 1) % 7 == 0) total++;  // so that the scatter is a permutation
    tables.clear();
    tableStarts = {0};
    for (const int length : tokens) {
      for (int b = 0; b * blockSize < length; b++, next++) tables.push_back(1 + (next * 7 + 3) % (total - 1));
      tableStarts.push_back(static_cast<int>(tables.size()));
    }
    const auto bytes = [&](int dim) { return static_cast<size_t>(total * kvHeads * kvCellBytes(dim, blockSize, dtype)); };
    keys.assign(bytes(keyDim) / 4, 0.f);
    values.assign(bytes(valueDim) / 4, 0.f);
    layer = {reinterpret_cast<std::byte*>(keys.data()), reinterpret_cast<std::byte*>(values.data()), kvHeads, keyDim, valueDim, blockSize, total, dtype};
  }
  // The step's tokens: a part of each sequence.
  void stage(const std::vector<Part>& parts) {
    starts = {0};
    positions.clear();
    slotIds.clear();
    lengths.clear();
    for (size_t s = 0; s < parts.size(); s++) {
      lengths.push_back(parts[s].cached + parts[s].tokens);
      for (int j = parts[s].cached; j < lengths.back(); j++) {
        positions.push_back(j);
        if (!tables.empty()) slotIds.push_back(tables[static_cast<size_t>(tableStarts[s] + j / layer.blockSize)] * layer.blockSize + j % layer.blockSize);
      }
      starts.push_back(starts.back() + parts[s].tokens);
    }
  }
  int rows() const { return starts.back(); }
  template <class O> void run(const O& op) {
    step.tokenCount = rows();
    step.sequenceCount = static_cast<int>(starts.size()) - 1;
    step.positions = positions.data();
    step.sequenceStarts = starts.data();
    step.contextLengths = lengths.data();
    group = {slotIds.data(), tables.data(), tableStarts.data()};
    const KvLayer* const layers[] = {&layer};
    Context context{&step, slots.data(), weights.data(), layers, &tiles, &memory, rows(), 0};
    kernels.kernels[static_cast<int>(O::op)](&op, context);
  }
  const float* result(const ops::Operand& operand) const { return slots[static_cast<size_t>(operand.index)].data; }

  const KernelTable& kernels;
  Tiles tiles;
  Memory memory;
  StepView step{};
  StepGroup group{};
  KvLayer layer{};
  std::vector<int32_t> starts{0}, tableStarts, tables, positions, slotIds, lengths;

 private:
  std::deque<std::vector<float>> data;
  std::vector<SlotView> slots;
  std::vector<Weight> weights;
  std::vector<float> keys, values;
};

}  // namespace millrace::test
