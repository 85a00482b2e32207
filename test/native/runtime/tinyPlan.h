// A plan small enough to read: embed, linear, write to the cache, attend; the head gathers rows and projects to 20 logits.
#pragma once
#include <cstring>
#include <vector>

#include "model.h"

namespace millrace::test {

constexpr int hidden = 24, vocab = 20, heads = 3, headDim = 8;

template <class Op>
void append(std::vector<int32_t>& words, const Op& op) {
  words.push_back(static_cast<int32_t>(Op::op));
  words.push_back(static_cast<int32_t>(sizeof op / 4));
  const size_t at = words.size();
  words.resize(at + sizeof op / 4);
  std::memcpy(words.data() + at, &op, sizeof op);
}

inline ops::Operand view(int slot, int columns, int column = 0) { return {1, slot, column, columns}; }
inline ops::Operand weight(int index) { return {2, index, 0, 0}; }
inline ops::Operand none() { return {0, 0, 0, 0}; }

inline std::vector<float> ramp(size_t count, float scale) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; i++) values[i] = scale * static_cast<float>(static_cast<int>(i * 7919 % 41) - 20);
  return values;
}

inline WeightSpec constant(const char* name, WeightKind kind, int rows, int columns, float scale) {
  return {name, kind, ops::Dtype::float32, rows, columns, {}, ramp(static_cast<size_t>(rows) * static_cast<size_t>(columns), scale)};
}

// Slots: 0 embedded, 1 q k v, 2 attended, 3 gathered, 4 logits. Weights: 0 table, 1 qkv, 2 head.
inline LoadSpec tinyPlan(int threads = 2) {
  constexpr auto f32 = ops::Dtype::float32;
  LoadSpec spec{};
  PlanSpec& plan = spec.plan;
  append(plan.words, ops::Embed{view(0, hidden), weight(0), 0, 0, 1.f});
  append(plan.words, ops::Linear{view(1, 3 * hidden), view(0, hidden), weight(1), none(), f32});
  append(plan.words, ops::KvWrite{view(1, hidden, hidden), view(1, hidden, 2 * hidden), heads, 0, 0, f32});
  append(plan.words, ops::Attention{view(2, hidden), view(1, hidden), heads, heads, headDim, headDim, 0.3f, 0, 0, 0, f32});
  append(plan.words, ops::GatherRows{view(3, hidden), view(2, hidden)});
  append(plan.words, ops::Linear{view(4, vocab), view(3, hidden), weight(2), none(), f32});
  plan.headStart = 4;
  plan.slots = {{false, hidden, 0}, {false, 3 * hidden, 128}, {false, hidden, 448}, {true, hidden, 0}, {true, vocab, 128}};
  plan.tokenBytes = 576;
  plan.outputBytes = 256;
  plan.weights = {constant("table", WeightKind::table, vocab, hidden, 0.05f),
                  constant("qkv", WeightKind::linear, 3 * hidden, hidden, 0.02f),
                  constant("head", WeightKind::linear, vocab, hidden, 0.03f)};
  plan.groups = {{1, heads, headDim, headDim, f32, 0}};
  plan.logits = view(4, vocab);
  plan.vocabSize = vocab;
  spec.capacity = {40, 4, 8, 16};
  spec.threads = threads;
  return spec;
}

// Tokens of one sequence from position `computed` on, in the blocks of `table`; the last `rows` tokens draw greedily.
inline StepData stepOf(const std::vector<int32_t>& tokens, int computed, const std::vector<int32_t>& table, int rows = 1) {
  StepData step;
  const auto count = static_cast<int32_t>(tokens.size());
  step.tokens = tokens;
  step.sequenceStarts = {0, count};
  step.contextLengths = {computed + count};
  step.groups.push_back({{}, table, {0, static_cast<int32_t>(table.size())}});
  for (int32_t t = 0; t < count; t++) {
    const int32_t position = computed + t;
    step.positions.push_back(position);
    step.groups[0].slots.push_back(table[static_cast<size_t>(position / 16)] * 16 + position % 16);
  }
  const auto r = static_cast<size_t>(rows);
  for (int32_t t = count - rows; t < count; t++) step.index.push_back(t);
  step.target.assign(r, -1);
  step.logprobs.assign(r, 3);
  step.topK.assign(r, 0);
  step.temperature.assign(r, 0);
  step.topP.assign(r, 1);
  step.minP.assign(r, 0);
  step.seed.assign(2 * r, 0);
  step.outputIndex.assign(r, 0);
  return step;
}

}  // namespace millrace::test
