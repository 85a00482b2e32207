// One step's arrays, owned, and their check: afterwards no kernel can be led out of its buffers.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "context.h"
#include "plan.h"

namespace millrace {

struct StepGroupData {
  std::vector<int32_t> slots, blockTables, blockTableStarts;
};

struct StepEditData {
  std::vector<int32_t> mask, allowed, biasStarts, biasIds, badWordStarts, badWords, historyStarts, history, promptCounts;
  std::vector<uint32_t> masks;
  std::vector<float> biasValues, repetition, presence, frequency;
};

struct StepPoolData {
  std::vector<int32_t> tokenTypes, carries, pooled, each;
};

// domain/batch/step.ts, copied: JavaScript may not keep a hold on what a running step reads.
struct StepData {
  std::vector<int32_t> tokens, positions, sequenceStarts, contextLengths, copies;
  std::vector<StepGroupData> groups;
  std::vector<int32_t> index, target, logprobs, topK;
  std::vector<float> temperature, topP, minP;
  std::vector<uint32_t> seed, outputIndex;
  std::optional<StepEditData> edits = std::nullopt;
  StepPoolData pool = {};
};

struct StepAnswer {
  int32_t top = 0;
  std::vector<int32_t> tokens, ranks, topTokens;
  std::vector<float> logprobs, topLogprobs;
  std::vector<uint8_t> faults;
  // A pooler's rows, and which of them are not finite: pooled ones first.
  bool pools = false;
  std::vector<float> pooled, each;
  std::vector<uint8_t> poolFaults;
  double elapsed = 0;  // milliseconds
};

// Throws StepError. `drawn` are the tokens of the step before, put in where a token is -1 - r.
void prepareStep(StepData& step, const PlanSpec& plan, const Program& program, const Capacity& capacity,
                 const std::vector<int32_t>& drawn);

}  // namespace millrace
