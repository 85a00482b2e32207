#include "model.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "errors.h"

namespace millrace {
namespace {

// Output rows that go through the head together: as many as a full batch decodes, few enough that logits stay small.
constexpr int32_t slabRows = 64;

StepEdits editsOf(const StepEditData& data, int32_t vocabulary) {
  return {data.mask.data(),          data.allowed.data(),  data.masks.data(),    (vocabulary + 31) / 32,
          data.biasStarts.data(),    data.biasIds.data(),  data.biasValues.data(), data.badWordStarts.data(),
          data.badWords.data(),      data.repetition.data(), data.presence.data(), data.frequency.data(),
          data.historyStarts.data(), data.history.data(),  data.promptCounts.data()};
}

// The view borrows `data`, `groups` and `edits`.
StepView viewOf(const StepData& data, std::vector<StepGroup>& groups, const StepEdits* edits) {
  for (const StepGroupData& group : data.groups)
    groups.push_back({group.slots.data(), group.blockTables.data(), group.blockTableStarts.data()});
  return {static_cast<int32_t>(data.tokens.size()),
          static_cast<int32_t>(data.contextLengths.size()),
          static_cast<int32_t>(data.index.size()),
          static_cast<int32_t>(groups.size()),
          data.tokens.data(),
          data.positions.data(),
          data.sequenceStarts.data(),
          data.contextLengths.data(),
          groups.data(),
          {data.index.data(), data.target.data(), data.logprobs.data(), data.temperature.data(), data.topK.data(),
           data.topP.data(), data.minP.data(), data.seed.data(), data.outputIndex.data(), edits},
          data.pool.tokenTypes.empty() ? nullptr : data.pool.tokenTypes.data(),
          data.pool.carries.empty() ? nullptr : data.pool.carries.data(),
          nullptr,
          0};
}

StepAnswer emptyAnswer(const StepData& data) {
  StepAnswer answer;
  const size_t rows = data.index.size();
  for (int32_t wanted : data.logprobs) answer.top = std::max(answer.top, wanted);
  const size_t entries = rows * static_cast<size_t>(answer.top);
  answer.tokens.resize(rows);
  answer.ranks.resize(rows);
  answer.logprobs.resize(rows);
  answer.faults.resize(rows);
  answer.topTokens.assign(entries, -1);
  answer.topLogprobs.resize(entries);
  return answer;
}

}  // namespace

Model::Model(LoadSpec spec)
    : plan_(std::move(spec.plan)),
      capacity_(spec.capacity),
      kernels_(selectKernels(spec.isa.empty() ? nullptr : spec.isa.c_str())),
      program_(decode(plan_, capacity_)),
      pool_(spec.threads > 0 ? std::min(spec.threads, 256) : availableThreads()),
      scratch_(pool_.threads()),
      weights_(plan_.weights, spec.files, kernels_, pool_),
      cache_(plan_.groups, capacity_) {
  sums_.resize(static_cast<size_t>(capacity_.maxSequences) * static_cast<size_t>(plan_.carryWidth));
  plan_.weights.clear();  // constants are copied by now
  layOutArena();
}

void Model::layOutArena() {
  const int64_t tokens = plan_.tokenBytes * capacity_.maxTokens;
  const int64_t outputs = roundUp(tokens, 64);
  arena_ = Memory(static_cast<size_t>(outputs + plan_.outputBytes * slabRows), false);
  for (const SlotSpec& slot : plan_.slots) {
    std::byte* at = arena_.data() + (slot.outputs ? outputs + slot.offset * slabRows : slot.offset * capacity_.maxTokens);
    slots_.push_back({reinterpret_cast<float*>(at), slot.width, slot.outputs});
  }
}

Context Model::context(const StepView& view, int32_t rows, int32_t rowStart) {
  return {&view, slots_.data(), weights_.data(), cache_.groups(), &pool_, &scratch_, rows, rowStart};
}

void Model::walk(const std::vector<Instruction>& instructions, Context& context, const std::atomic<bool>& abandon) const {
  for (const Instruction& instruction : instructions) {
    if (abandon.load(std::memory_order_relaxed)) throw StepError("step: abandoned, the process is ending");
    kernels_.kernels[static_cast<int32_t>(instruction.op)](instruction.record, context);
  }
}

void Model::runHead(const StepView& view, StepOutput& output, const std::atomic<bool>& abandon) {
  if (program_.head.empty() || plan_.logits.kind == 0) return;
  for (int32_t start = 0; start < view.rowCount; start += slabRows) {
    Context slab = context(view, std::min(slabRows, view.rowCount - start), start);
    walk(program_.head, slab, abandon);
    kernels_.sample(slab.matrix(plan_.logits), start, output, slab);
  }
}

void Model::runPooler(const std::vector<Instruction>& head, const ops::Operand& result, const std::vector<int32_t>& rows, StepView view,
                      std::vector<float>& answers, std::vector<uint8_t>& faults, const std::atomic<bool>& abandon) {
  if (result.kind == 0) return;
  view.rows.index = rows.data();
  view.rowCount = static_cast<int32_t>(rows.size());
  answers.reserve(rows.size() * static_cast<size_t>(result.columns));
  for (int32_t start = 0; start < view.rowCount; start += slabRows) {
    Context slab = context(view, std::min(slabRows, view.rowCount - start), start);
    walk(head, slab, abandon);
    const Matrix y = slab.matrix(result);
    for (int32_t r = 0; r < slab.rows; r++) {
      answers.insert(answers.end(), y.row(r), y.row(r) + y.columns);
      faults.push_back(std::all_of(y.row(r), y.row(r) + y.columns, [](float x) { return std::isfinite(x); }) ? 0 : 1);
    }
  }
}

StepAnswer Model::step(StepData data, const std::atomic<bool>& abandon) {
  const auto begin = std::chrono::steady_clock::now();
  prepareStep(data, plan_, program_, capacity_, drawn_);
  std::vector<StepGroup> groups;
  const StepEdits edits = data.edits ? editsOf(*data.edits, plan_.vocabSize) : StepEdits{};
  StepView view = viewOf(data, groups, data.edits ? &edits : nullptr);
  view.sums = sums_.data();
  view.sumWidth = plan_.carryWidth;
  StepAnswer answer = emptyAnswer(data);
  StepOutput output{answer.top,           answer.tokens.data(),    answer.logprobs.data(),   answer.ranks.data(),
                    answer.faults.data(), answer.topTokens.data(), answer.topLogprobs.data()};
  cache_.copy(data.copies, pool_);
  Context body = context(view, view.tokenCount, 0);
  walk(program_.body, body, abandon);
  runHead(view, output, abandon);
  answer.pools = plan_.pooled.kind != 0 || plan_.each.kind != 0;
  runPooler(program_.head, plan_.pooled, data.pool.pooled, view, answer.pooled, answer.poolFaults, abandon);
  runPooler(program_.eachHead, plan_.each, data.pool.each, view, answer.each, answer.poolFaults, abandon);
  drawn_ = answer.tokens;
  answer.elapsed = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  return answer;
}

SlotView Model::slot(int32_t index) const {
  if (index < 0 || static_cast<size_t>(index) >= slots_.size()) throw StepError("there is no slot " + std::to_string(index));
  return slots_[static_cast<size_t>(index)];
}

int32_t Model::slotRows(int32_t index) const { return slot(index).outputs ? slabRows : capacity_.maxTokens; }

void Model::writeCache(int32_t group, int32_t layer, const std::vector<int32_t>& slots, float* keys, float* values) {
  const GroupSpec& spec = plan_.groups.at(static_cast<size_t>(group));
  const SlotView views[] = {{keys, spec.kvHeads * spec.keyDim, false}, {values, spec.kvHeads * spec.valueDim, false}};
  const std::vector<StepGroup> groups(plan_.groups.size(), {slots.data(), nullptr, nullptr});
  StepView view{};
  view.tokenCount = static_cast<int32_t>(slots.size());
  view.groupCount = static_cast<int32_t>(groups.size());
  view.groups = groups.data();
  const ops::KvWrite op{{1, 0, 0, views[0].width}, {1, 1, 0, views[1].width}, spec.kvHeads, group, layer, spec.dtype};
  Context context{&view, views, weights_.data(), cache_.groups(), &pool_, &scratch_, view.tokenCount, 0};
  kernels_.kernels[static_cast<int32_t>(ops::Op::kvWrite)](&op, context);
}

void Model::readCache(int32_t group, int32_t layer, const std::vector<int32_t>& slots, float* keys, float* values) const {
  const KvLayer& cache = cache_.layer(group, layer);
  for (size_t i = 0; i < slots.size(); i++)
    for (int32_t head = 0; head < cache.kvHeads; head++) {
      const size_t row = i * static_cast<size_t>(cache.kvHeads) + static_cast<size_t>(head);
      kernels_.readKv(cache, slots[i], head, keys + row * static_cast<size_t>(cache.keyDim),
                      values + row * static_cast<size_t>(cache.valueDim));
    }
}

}  // namespace millrace
