// Plans that end in pooler heads: rows in slabs, sums that are kept from step to step, faults, and steps that are refused.
#include <atomic>
#include <limits>

#include "errors.h"
#include "expect.h"
#include "model.h"
#include "tinyPlan.h"

using namespace millrace;
using namespace millrace::test;

namespace {

const std::atomic<bool> goOn{false};
constexpr int types = 2, longest = 200;

// Slots: 0 embedded, 1 types, 2 attended or summed, 3 mean, 4 pooled, 5 each, 6 narrow. Weights: 0 table, 1 types, 2 head.
LoadSpec tinyPooler(bool whole, int threads = 2) {
  constexpr auto f32 = ops::Dtype::float32;
  LoadSpec spec{};
  PlanSpec& plan = spec.plan;
  append(plan.words, ops::Embed{view(0, hidden), weight(0), 0, 0, 1.f});
  append(plan.words, ops::Embed{view(1, hidden), weight(1), 2, 0, 1.f});
  if (whole) append(plan.words, ops::EncoderAttention{view(2, hidden), view(0, hidden), view(1, hidden), view(0, hidden), heads, heads, headDim, headDim, 0.3f, 0, f32});
  else append(plan.words, ops::Add{view(2, hidden), view(0, hidden), view(1, hidden)});
  append(plan.words, ops::RunningMean{view(3, hidden), view(2, hidden)});
  append(plan.words, ops::GatherRows{view(4, hidden), view(3, hidden)});
  append(plan.words, ops::GatherRows{view(5, hidden), view(2, hidden)});
  append(plan.words, ops::Linear{view(6, 5), view(5, hidden), weight(2), none(), f32});
  plan.headStart = 4;
  plan.eachStart = 5;
  plan.carryWidth = whole ? 0 : hidden;
  plan.slots = {{false, hidden, 0}, {false, hidden, 128}, {false, hidden, 256}, {false, hidden, 384}, {true, hidden, 0}, {true, hidden, 128}, {true, 5, 256}};
  plan.tokenBytes = 512;
  plan.outputBytes = 320;
  plan.weights = {constant("table", WeightKind::table, vocab, hidden, 0.05f), constant("types", WeightKind::table, types, hidden, 0.03f),
                  constant("head", WeightKind::linear, 5, hidden, 0.02f)};
  plan.pooled = view(4, hidden);
  plan.each = view(6, 5);
  spec.capacity = {longest, 4, 1, 16};
  spec.threads = threads;
  return spec;
}

// One sequence of tokens from position `computed` on: its last row pooled, every row for itself.
StepData stepOf(const std::vector<int32_t>& tokens, int computed = 0, int carry = -1) {
  StepData step;
  const auto count = static_cast<int32_t>(tokens.size());
  step.tokens = tokens;
  step.sequenceStarts = {0, count};
  step.contextLengths = {computed + count};
  for (int32_t t = 0; t < count; t++) {
    step.positions.push_back(computed + t);
    step.pool.tokenTypes.push_back(tokens[static_cast<size_t>(t)] % types);
    step.pool.each.push_back(t);
  }
  step.pool.pooled = {count - 1};
  step.pool.carries = {carry};
  return step;
}

std::vector<int32_t> tokensOf(int count) {
  std::vector<int32_t> tokens;
  for (int i = 0; i < count; i++) tokens.push_back((i * 7 + 3) % vocab);
  return tokens;
}

void slabsAndThreads() {
  Model one(tinyPooler(true, 1)), two(tinyPooler(true, 2));
  const StepAnswer a = one.step(stepOf(tokensOf(longest)), goOn), b = two.step(stepOf(tokensOf(longest)), goOn);
  expect(a.pools && a.pooled.size() == hidden && a.each.size() == longest * 5, "every row asked for is answered");
  expect(a.pooled == b.pooled && a.each == b.each, "threads leave no trace");
  StepData step = stepOf(tokensOf(longest));
  step.pool.each = {3, 150};
  const StepAnswer few = two.step(step, goOn);
  expect(few.each.size() == 10 && std::equal(few.each.begin() + 5, few.each.end(), a.each.begin() + 150 * 5), "a row is its own in any slab");
  expect(a.tokens.empty() && a.poolFaults == std::vector<uint8_t>(longest + 1, 0), "nothing is drawn, and nothing is faulty");
}

void sumsAreKept() {
  const auto tokens = tokensOf(90);
  Model whole(tinyPooler(false)), split(tinyPooler(false));
  const StepAnswer want = whole.step(stepOf(tokens), goOn);
  split.step(stepOf(tokensOf(60), 0, 2), goOn);  // another text leaves its sum where the next one begins
  StepAnswer got;
  for (int from = 0; from < 90; from += 31) {
    const int end = std::min(90, from + 31);
    got = split.step(stepOf({tokens.begin() + from, tokens.begin() + end}, from, 2), goOn);
  }
  expect(got.pooled == want.pooled, "a mean goes on where the step before left it");
}

void faults() {
  LoadSpec spec = tinyPooler(true);
  spec.plan.weights[2].constant[5] = std::numeric_limits<float>::quiet_NaN();
  Model model(std::move(spec));
  const StepAnswer answer = model.step(stepOf({1, 2}), goOn);
  expect(answer.poolFaults == std::vector<uint8_t>{0, 1, 1}, "a row that is not finite is told, pooled rows first");
}

void refusals() {
  Model model(tinyPooler(true));
  const auto refuses = [&](const char* part, auto&& change) {
    StepData step = stepOf({1, 2, 3});
    change(step);
    expectThrow<StepError>([&] { model.step(step, goOn); }, part, part);
  };
  refuses("one token type a token", [](StepData& s) { s.pool.tokenTypes.pop_back(); });
  refuses("a token type lies", [](StepData& s) { s.pool.tokenTypes[1] = types; });
  refuses("a pooled row", [](StepData& s) { s.pool.pooled[0] = 3; });
  refuses("a pooled row", [](StepData& s) { s.pool.each[0] = -1; });
  refuses("no place for a running sum", [](StepData& s) { s.pool.carries[0] = 0; });
  refuses("one place of a sum", [](StepData& s) { s.pool.carries.push_back(-1); });
  refuses("whole sequences", [](StepData& s) {
    s.contextLengths[0] = 5;
    s.positions = {2, 3, 4};
  });
  const auto unsound = [](const char* part, auto&& change) {
    LoadSpec spec = tinyPooler(true);
    change(spec);
    expectThrow<PlanError>([&] { decode(spec.plan, spec.capacity); }, part, part);
  };
  unsound("eachStart", [](LoadSpec& s) { s.plan.eachStart = 3; });
  unsound("pooled must have output rows", [](LoadSpec& s) { s.plan.pooled = view(3, hidden); });
  unsound("each leaves its slot", [](LoadSpec& s) { s.plan.each.columns = 6; });
  unsound("another width than its kept sums", [](LoadSpec& s) { s.plan.carryWidth = 8; });
  StepData step = stepOf({1, 2, 3});
  step.pool = {};
  expect(model.step(step, goOn).pools, "a step may ask for no row, and a refused one leaves the model sound");
}

}  // namespace

int main() {
  slabsAndThreads();
  sumsAreKept();
  faults();
  refusals();
  return broken > 0;
}
