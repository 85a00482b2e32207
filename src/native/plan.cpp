#include "plan.h"

#include "errors.h"
#include "plan_check.h"

namespace millrace {
namespace {

void checkTables(const PlanSpec& spec, const Capacity& capacity) {
  const auto need = [](bool good, const std::string& what) {
    if (!good) throw PlanError("plan: " + what);
  };
  constexpr int32_t widest = 1 << 24, widestHead = 1024;  // kernels keep a head on their stack
  need(capacity.maxTokens > 0 && capacity.maxTokens <= 1 << 20, "maxTokens must lie in [1, 2^20]");
  need(capacity.maxSequences > 0 && capacity.blocks > 0, "maxSequences and blocks must be positive");
  need(capacity.blockSize > 0 && capacity.blockSize % 16 == 0 && capacity.blockSize <= 4096,
       "blockSize must be a multiple of 16 up to 4096");
  need((static_cast<int64_t>(capacity.blocks) + 1) * capacity.blockSize <= std::numeric_limits<int32_t>::max(),
       "blocks * blockSize must fit 31 bits");
  need(spec.tokenBytes >= 0 && spec.outputBytes >= 0 && spec.tokenBytes < 1LL << 32 && spec.outputBytes < 1LL << 32,
       "a region must have between 0 and 2^32 bytes a row");
  for (size_t i = 0; i < spec.slots.size(); i++) {
    const SlotSpec& slot = spec.slots[i];
    const int64_t region = slot.outputs ? spec.outputBytes : spec.tokenBytes;
    need(slot.width > 0 && slot.width <= widest && slot.offset >= 0 && slot.offset % 64 == 0 &&
             slot.offset + 4LL * slot.width <= region,
         "slot " + std::to_string(i) + " does not lie in its region");
  }
  for (const GroupSpec& group : spec.groups)
    need(group.layers > 0 && group.layers <= 4096 && group.kvHeads > 0 && group.kvHeads <= 4096 && group.keyDim > 0 &&
             group.keyDim <= widestHead && group.valueDim > 0 && group.valueDim <= widestHead && group.window >= 0,
         "a cache group's sizes are out of range");
  for (const WeightSpec& weight : spec.weights)
    need(weight.rows > 0 && weight.columns > 0 && weight.rows <= widest && weight.columns <= widest,
         "weight " + weight.name + " has no sensible shape");
}

}  // namespace

Program decode(const PlanSpec& spec, const Capacity& capacity) {
  checkTables(spec, capacity);
  Program program;
  program.words = spec.words;
  const auto& words = program.words;
  int32_t index = 0;
  for (size_t at = 0; at < words.size(); index++) {
    PlanCheck check{spec, program, index, index >= spec.headStart};
    if (words.size() - at < 2) check.fail("is cut short");
    const auto op = static_cast<ops::Op>(words[at]);
    const int32_t length = words[at + 1];
    if (length < 0 || static_cast<size_t>(length) > words.size() - at - 2) check.fail("runs past the plan's end");
    const void* record = words.data() + at + 2;
    const bool known = ops::dispatch(op, [&](auto* type) {
      using Record = std::remove_const_t<std::remove_pointer_t<decltype(type)>>;
      static_assert(sizeof(Record) % 4 == 0);
      if (static_cast<size_t>(length) * 4 != sizeof(Record)) check.fail("has the wrong number of words");
      checkInstruction(*static_cast<const Record*>(record), check);
    });
    if (!known) check.fail("has the unknown op " + std::to_string(words[at]));
    (index < spec.headStart ? program.body : index < spec.eachStart ? program.head : program.eachHead).push_back({op, record});
    at += 2 + static_cast<size_t>(length);
  }
  if (spec.headStart < 0 || spec.headStart > index) throw PlanError("plan: headStart is out of range");
  if (spec.eachStart < spec.headStart) throw PlanError("plan: eachStart is out of range");
  if (spec.carryWidth < 0 || spec.carryWidth > 1 << 24) throw PlanError("plan: carryWidth is out of range");
  const PlanCheck end{spec, program, index, true};
  const bool pools = spec.pooled.kind != 0 || spec.each.kind != 0;
  if (!pools && !program.head.empty() && end.act("logits", spec.logits, true) != spec.vocabSize)
    throw PlanError("plan: logits must have vocabSize columns");
  if (spec.pooled.kind != 0) end.act("pooled", spec.pooled, true);
  if (spec.each.kind != 0) end.act("each", spec.each, true);
  return program;
}

}  // namespace millrace
