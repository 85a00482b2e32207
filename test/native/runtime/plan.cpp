// A plan is checked whole when it is loaded: no word of it, changed to anything, leads a kernel out of its buffers.
#include "plan.h"

#include <random>

#include "errors.h"
#include "expect.h"
#include "tinyPlan.h"

using namespace millrace;
using namespace millrace::test;

namespace {

template <class Change>
void refuses(const char* part, Change&& change) {
  LoadSpec spec = tinyPlan();
  change(spec);
  expectThrow<PlanError>([&] { decode(spec.plan, spec.capacity); }, part, part);
}

// Position of instruction `index`'s words, its op first.
size_t wordOf(const PlanSpec& plan, int index) {
  size_t at = 0;
  while (index-- > 0) at += 2 + static_cast<size_t>(plan.words[at + 1]);
  return at;
}

void namedFaults() {
  refuses("unknown op", [](LoadSpec& s) { s.plan.words[0] = 999; });
  refuses("wrong number of words", [](LoadSpec& s) {
    s.plan.words[1]--;
    s.plan.words.erase(s.plan.words.begin() + 2);
  });
  refuses("past the plan's end", [](LoadSpec& s) { s.plan.words.pop_back(); });
  refuses("cut short", [](LoadSpec& s) { s.plan.words.push_back(1); });
  refuses("names no slot", [](LoadSpec& s) { s.plan.words[3] = -1; });
  refuses("leaves its slot", [](LoadSpec& s) { s.plan.words[4] = 1; });
  refuses("names no weight", [](LoadSpec& s) { s.plan.words[7] = 3; });
  refuses("a weight of another kind", [](LoadSpec& s) { s.plan.words[7] = 1; });
  refuses("different widths", [](LoadSpec& s) { s.plan.words[5]--; });
  refuses("instruction 2 names no cache group", [](LoadSpec& s) { s.plan.words[wordOf(s.plan, 2) + 11] = 1; });
  refuses("names no layer", [](LoadSpec& s) { s.plan.words[wordOf(s.plan, 2) + 12] = 1; });
  refuses("does not fit its cache group", [](LoadSpec& s) { s.plan.words[wordOf(s.plan, 2) + 10] = 1; });
  refuses("may not stand in the head", [](LoadSpec& s) { s.plan.headStart = 3; });
  refuses("may stand in the head only", [](LoadSpec& s) { s.plan.headStart = 5; });
  refuses("headStart", [](LoadSpec& s) {
    s.plan.words.clear();
    s.plan.headStart = 1;
  });
  refuses("does not lie in its region", [](LoadSpec& s) { s.plan.slots[2].offset = 512; });
  refuses("does not lie in its region", [](LoadSpec& s) { s.plan.slots[1].offset = 132; });
  refuses("logits", [](LoadSpec& s) { s.plan.vocabSize--; });
  refuses("blockSize", [](LoadSpec& s) { s.capacity.blockSize = 8; });
}

// Whatever decodes runs without leaving its buffers: with the sanitizers on, this is the proof.
void noiseIsHarmless() {
  std::mt19937 random(1);
  int refused = 0, ran = 0;
  for (int round = 0; round < 3000; round++) {
    LoadSpec spec = tinyPlan(1);
    for (int change = 0; change < 1 + round % 3; change++) {
      const size_t at = random() % spec.plan.words.size();
      spec.plan.words[at] = random() % 2 ? static_cast<int32_t>(random()) : static_cast<int32_t>(random() % 64) - 4;
    }
    try {
      Model model(std::move(spec));
      model.step(stepOf({1, 2, 3}, 0, {1}), std::atomic<bool>{false});
      ran++;
    } catch (const PlanError&) {
      refused++;
    } catch (const StepError&) {
      ran++;
    }
  }
  expect(refused > 1000, "noise in the words is refused");
  expect(ran > 50, "harmless changes run");
}

}  // namespace

int main() {
  LoadSpec spec = tinyPlan();
  const Program program = decode(spec.plan, spec.capacity);
  expect(program.body.size() == 4 && program.head.size() == 2, "a sound plan decodes");
  expect(program.tokenLimit == vocab, "the embedding table bounds the tokens");
  namedFaults();
  noiseIsHarmless();
  return broken > 0;
}
