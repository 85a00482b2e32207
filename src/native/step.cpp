#include "step.h"

#include <algorithm>
#include <string>

#include "errors.h"

namespace millrace {
namespace {

void need(bool good, const char* what) {
  if (!good) throw StepError(std::string("step: ") + what);
}

bool within(const std::vector<int32_t>& values, int32_t low, int32_t below) {
  return std::all_of(values.begin(), values.end(), [=](int32_t value) { return value >= low && value < below; });
}

// [0, ..., total], never falling.
bool partition(const std::vector<int32_t>& starts, size_t total) {
  return !starts.empty() && starts.front() == 0 && static_cast<size_t>(starts.back()) == total &&
         std::is_sorted(starts.begin(), starts.end());
}

void resolveTokens(StepData& step, const Program& program, const std::vector<int32_t>& drawn) {
  for (int32_t& token : step.tokens) {
    if (token < 0) {
      const int64_t row = -1 - static_cast<int64_t>(token);
      need(row < static_cast<int64_t>(drawn.size()), "a token refers to an output row that the step before did not have");
      token = drawn[static_cast<size_t>(row)];
      // A row whose logits were not finite drew nothing; its sequence ends, and what this step makes of it is discarded.
      if (token < 0 || token >= program.tokenLimit) token = 0;
    }
    need(token < program.tokenLimit, "a token id lies outside the embedding table");
  }
}

void checkSequences(const StepData& step, const Program& program) {
  for (size_t s = 0; s + 1 < step.sequenceStarts.size(); s++) {
    const int32_t begin = step.sequenceStarts[s], end = step.sequenceStarts[s + 1];
    for (int32_t t = begin; t < end; t++)
      need(step.positions[static_cast<size_t>(t)] == step.contextLengths[s] - (end - t),
           "positions must end at the sequence's context length");
    need(begin == end || step.positions[static_cast<size_t>(begin)] >= 0, "a position is negative");
  }
  need(within(step.positions, 0, program.positionLimit), "a position lies outside the position table");
}

void checkGroups(const StepData& step, const PlanSpec& plan, const Capacity& capacity) {
  need(step.groups.size() == plan.groups.size(), "it must have as many cache groups as the plan");
  for (const StepGroupData& group : step.groups) {
    need(group.slots.size() == step.tokens.size(), "a cache group must have one slot a token");
    need(within(group.slots, capacity.blockSize, (capacity.blocks + 1) * capacity.blockSize), "a slot lies outside the cache");
    need(within(group.blockTables, 0, capacity.blocks + 1), "a block lies outside the cache");
    need(group.blockTableStarts.size() == step.sequenceStarts.size() &&
             partition(group.blockTableStarts, group.blockTables.size()),
         "blockTableStarts must divide blockTables among the sequences");
    for (size_t s = 0; s + 1 < group.blockTableStarts.size(); s++)
      need(int64_t{group.blockTableStarts[s + 1] - group.blockTableStarts[s]} * capacity.blockSize >= step.contextLengths[s],
           "a block table is shorter than its sequence");
  }
}

void checkRows(const StepData& step, const PlanSpec& plan) {
  const size_t rows = step.index.size();
  need(within(step.index, 0, static_cast<int32_t>(step.tokens.size())), "an output row names no token");
  for (size_t size : {step.target.size(), step.logprobs.size(), step.topK.size(), step.temperature.size(), step.topP.size(),
                      step.minP.size(), step.outputIndex.size(), step.seed.size() / 2})
    need(size == rows, "the arrays of output rows differ in length");
  need(within(step.target, -1, plan.vocabSize), "a target lies outside the vocabulary");
  need(within(step.logprobs, -1, plan.vocabSize + 1), "more logprobs are wanted than there are tokens");
}

}  // namespace

void prepareStep(StepData& step, const PlanSpec& plan, const Program& program, const Capacity& capacity,
                 const std::vector<int32_t>& drawn) {
  const size_t tokens = step.tokens.size();
  need(tokens > 0 && tokens <= static_cast<size_t>(capacity.maxTokens), "it must have between 1 and maxTokens tokens");
  need(step.positions.size() == tokens, "it must have one position a token");
  need(partition(step.sequenceStarts, tokens), "sequenceStarts must divide the tokens");
  need(step.sequenceStarts.size() - 1 <= static_cast<size_t>(capacity.maxSequences), "it has more than maxSequences sequences");
  need(step.contextLengths.size() + 1 == step.sequenceStarts.size(), "it must have one context length a sequence");
  resolveTokens(step, program, drawn);
  checkSequences(step, program);
  checkGroups(step, plan, capacity);
  need(step.copies.size() % 2 == 0 && within(step.copies, 1, capacity.blocks + 1), "copies must be pairs of usable blocks");
  checkRows(step, plan);
}

}  // namespace millrace
