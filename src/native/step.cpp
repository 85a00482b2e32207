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

// A row may look back at ids that its vocabulary lacks (the sampler passes over them); what it changes must be there.
void checkEdits(const StepEditData& edits, size_t rows, int32_t vocabulary) {
  for (const std::vector<int32_t>* each : {&edits.mask, &edits.allowed, &edits.promptCounts})
    need(each->size() == rows, "the arrays of edited rows differ in length");
  for (const std::vector<float>* each : {&edits.repetition, &edits.presence, &edits.frequency})
    need(each->size() == rows, "the arrays of edited rows differ in length");
  const size_t words = static_cast<size_t>((vocabulary + 31) / 32);
  need(edits.masks.size() % words == 0, "a mask must have one bit a token");
  const auto masks = static_cast<int32_t>(edits.masks.size() / words);
  need(within(edits.mask, -1, masks) && within(edits.allowed, -1, masks), "a row names a mask that there is not");
  need(edits.biasIds.size() == edits.biasValues.size(), "a bias needs an id and a value");
  need(edits.biasStarts.size() == rows + 1 && partition(edits.biasStarts, edits.biasIds.size()), "biasStarts must divide the biases");
  need(within(edits.biasIds, 0, vocabulary), "a bias lies outside the vocabulary");
  need(edits.historyStarts.size() == rows + 1 && partition(edits.historyStarts, edits.history.size()),
       "historyStarts must divide the history");
  need(edits.badWordStarts.size() == rows + 1 && partition(edits.badWordStarts, edits.badWords.size()),
       "badWordStarts must divide the bad words");
  for (size_t r = 0; r < rows; r++) {
    need(edits.promptCounts[r] >= 0 && edits.promptCounts[r] <= edits.historyStarts[r + 1] - edits.historyStarts[r],
         "a row's prompt is longer than its history");
    int64_t at = edits.badWordStarts[r];
    while (at < edits.badWordStarts[r + 1]) {
      const int64_t length = edits.badWords[static_cast<size_t>(at)];
      need(length > 0 && at + length < edits.badWordStarts[r + 1], "a bad word is cut off");
      at += 1 + length;
    }
  }
}

void checkPool(const StepPoolData& pool, const StepData& step, const PlanSpec& plan, const Program& program, const Capacity& capacity) {
  const auto tokens = static_cast<int32_t>(step.tokens.size());
  need(pool.tokenTypes.empty() || pool.tokenTypes.size() == step.tokens.size(), "it must have one token type a token, or none");
  need(within(pool.tokenTypes, 0, program.typeLimit), "a token type lies outside its table");
  need(pool.carries.empty() || pool.carries.size() == step.contextLengths.size(), "it must have one place of a sum a sequence, or none");
  need(within(pool.carries, -1, plan.carryWidth > 0 ? capacity.maxSequences : 0), "there is no place for a running sum");
  need(within(pool.pooled, 0, tokens) && within(pool.each, 0, tokens), "a pooled row names no token");
  need((pool.pooled.empty() || plan.pooled.kind != 0) && (pool.each.empty() || plan.each.kind != 0), "the plan has no such pooler head");
  need(step.index.empty() || (plan.pooled.kind == 0 && plan.each.kind == 0), "a plan that pools draws nothing");
}

void checkWhole(const StepData& step, const Program& program) {
  if (!program.whole) return;
  for (size_t s = 0; s + 1 < step.sequenceStarts.size(); s++)
    need(step.sequenceStarts[s + 1] - step.sequenceStarts[s] == step.contextLengths[s], "attention over all tokens takes whole sequences only");
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
  if (step.edits) checkEdits(*step.edits, step.index.size(), plan.vocabSize);
  checkPool(step.pool, step, plan, program, capacity);
  checkWhole(step, program);
}

}  // namespace millrace
