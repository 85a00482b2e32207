// The walk through steps: chunks, drawn tokens of the step before, copied blocks, slabs of output rows, refused steps.
#include "model.h"

#include <cmath>
#include <limits>

#include "errors.h"
#include "expect.h"
#include "tinyPlan.h"

using namespace millrace;
using namespace millrace::test;

namespace {

const std::atomic<bool> goOn{false};
const std::vector<int32_t> prompt = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4, 6};

bool same(const StepAnswer& a, const StepAnswer& b) {
  return a.tokens == b.tokens && a.logprobs == b.logprobs && a.ranks == b.ranks && a.topTokens == b.topTokens &&
         a.topLogprobs == b.topLogprobs && a.faults == b.faults;
}

std::vector<int32_t> part(size_t from, size_t to) {
  return {prompt.begin() + static_cast<int64_t>(from), prompt.begin() + static_cast<int64_t>(to)};
}

void chunksAndThreads() {
  Model whole(tinyPlan(1));
  const StepAnswer wanted = whole.step(stepOf(prompt, 0, {1, 2}), goOn);
  expect(wanted.tokens.size() == 1 && wanted.top == 3 && wanted.faults[0] == 0, "a step answers its row");
  expect(wanted.tokens[0] == wanted.topTokens[0] && wanted.ranks[0] == 1, "greedy is the best token");
  for (size_t cut : {size_t{1}, size_t{7}, size_t{16}, prompt.size() - 1}) {
    Model model(tinyPlan(3));
    model.step(stepOf(part(0, cut), 0, {5, 3}, 0), goOn);
    const StepAnswer got = model.step(stepOf(part(cut, prompt.size()), static_cast<int>(cut), {5, 3}), goOn);
    expect(same(got, wanted), "bits do not depend on chunks, blocks or threads");
  }
}

// Token -1 - r is what output row r of the step before drew.
void drawnTokens() {
  Model native(tinyPlan()), told(tinyPlan());
  const auto length = static_cast<int>(prompt.size());
  const StepAnswer first = native.step(stepOf(prompt, 0, {1, 2}, 2), goOn);
  told.step(stepOf(prompt, 0, {1, 2}, 2), goOn);
  const StepAnswer a = native.step(stepOf({-2}, length, {1, 2}), goOn);
  const StepAnswer b = told.step(stepOf({first.tokens[1]}, length, {1, 2}), goOn);
  expect(same(a, b), "a drawn token needs no round trip");
  expectThrow<StepError>([&] { native.step(stepOf({-2}, length + 1, {1, 2}), goOn); }, "output row",
                         "a reference to a row that was not there is refused");
}

void copies() {
  Model model(tinyPlan());
  const auto length = static_cast<int>(prompt.size());
  model.step(stepOf(prompt, 0, {1, 2}, 0), goOn);
  const StepAnswer wanted = model.step(stepOf({7}, length, {1, 2}), goOn);
  Model forked(tinyPlan());
  forked.step(stepOf(prompt, 0, {1, 2}, 0), goOn);
  StepData fork = stepOf({7}, length, {1, 6});
  fork.copies = {2, 6};
  expect(same(forked.step(fork, goOn), wanted), "a copied block holds what its origin held");
  StepData hostile = stepOf({7}, length, {1, 6});
  hostile.copies = {0, 6};
  expectThrow<StepError>([&] { forked.step(hostile, goOn); }, "copies", "the null block is not copied");
}

// More rows than a slab: every row as if it were asked for alone.
void slabs() {
  LoadSpec wide = tinyPlan();
  wide.capacity.maxTokens = 100;
  Model model(std::move(wide));
  std::vector<int32_t> tokens;
  for (int t = 0; t < 100; t++) tokens.push_back(t * 7 % vocab);
  const std::vector<int32_t> table = {1, 2, 3, 4, 5, 6, 7};
  const StepAnswer all = model.step(stepOf(tokens, 0, table, 100), goOn);
  for (int row : {0, 63, 64, 99}) {
    StepData one = stepOf(tokens, 0, table, 1);
    one.index[0] = row;
    const StepAnswer alone = model.step(one, goOn);
    const auto r = static_cast<size_t>(row);
    expect(alone.tokens[0] == all.tokens[r] && alone.logprobs[0] == all.logprobs[r], "a row is its own in any slab");
  }
}

void faults() {
  LoadSpec spec = tinyPlan();
  spec.plan.weights[2].constant[5] = std::numeric_limits<float>::quiet_NaN();
  Model model(std::move(spec));
  expect(model.step(stepOf({1}, 0, {1}), goOn).faults[0] == 1, "logits that are not finite are a fault");
  model.step(stepOf({-1}, 1, {1}), goOn);
}

void refusals() {
  Model model(tinyPlan());
  const auto refuses = [&](const char* part, auto&& change) {
    StepData step = stepOf({1, 2}, 0, {1});
    change(step);
    expectThrow<StepError>([&] { model.step(step, goOn); }, part, part);
  };
  refuses("token id", [](StepData& s) { s.tokens[1] = vocab; });
  refuses("positions", [](StepData& s) { s.positions[1] = 5; });
  refuses("a slot", [](StepData& s) { s.groups[0].slots[0] = 3; });
  refuses("a slot", [](StepData& s) { s.groups[0].slots[0] = 9 * 16; });
  refuses("a block lies", [](StepData& s) { s.groups[0].blockTables[0] = 9; });
  refuses("shorter than its sequence", [](StepData& s) {
    s.contextLengths[0] = 20;
    s.positions = {18, 19};
  });
  refuses("sequenceStarts", [](StepData& s) { s.sequenceStarts[1] = 1; });
  refuses("an output row", [](StepData& s) { s.index[0] = 2; });
  refuses("a target", [](StepData& s) { s.target[0] = vocab; });
  refuses("differ in length", [](StepData& s) { s.topP.clear(); });
  refuses("maxTokens", [](StepData& s) { s.tokens.clear(); });
  refuses("cache groups", [](StepData& s) { s.groups.clear(); });
  expect(model.step(stepOf({1, 2}, 0, {1}), goOn).faults[0] == 0, "a refused step leaves the model sound");
  const std::atomic<bool> abandon{true};
  expectThrow<StepError>([&] { model.step(stepOf({1}, 0, {1}), abandon); }, "abandoned", "an abandoned step stops");
}

}  // namespace

int main() {
  chunksAndThreads();
  drawnTokens();
  copies();
  slabs();
  faults();
  refusals();
  return broken > 0;
}
