// What a row asks to be done to its logits before the draw. The rules stand in src/domain/sampling/edit.ts, which this follows
// operation by operation in float32, so that both draw from the same bits. -infinity is never drawn.
#pragma once
#include "../simd.h"
#include "kernels.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
namespace {

constexpr float forbidden = -__builtin_inff();

// The greatest of x, which holds no NaN and may hold -infinity.
inline float greatest(const float* x, int n) {
  V top = set(forbidden);
  for (int i = 0; i < n; i += lanes) {
    const V v = i + lanes <= n ? load(x + i) : select(range(0, n - i), loadPart(x + i, n - i), set(forbidden));
    top = max(v, top);
  }
  return reduceMax(top);
}

// Forbids the tokens whose bit is not set. Most words of a grammar's mask are all zeros or all ones.
inline void keepSet(float* x, int n, const uint32_t* words) {
  for (int from = 0; from < n; from += 32, words++) {
    const int count = n - from < 32 ? n - from : 32;
    const uint32_t word = *words;
    if (word == 0xffffffffu) continue;
    if (word == 0)
      for (int i = 0; i < count; i++) x[from + i] = forbidden;
    else
      for (int i = 0; i < count; i++) x[from + i] = word >> i & 1u ? x[from + i] : forbidden;
  }
}

// The grammar's mask of row r; false where it has none.
inline bool maskRow(float* x, int n, const StepEdits& e, int r) {
  if (e.mask[r] < 0) return false;
  keepSet(x, n, e.masks + int64_t{e.mask[r]} * e.words);
  return true;
}

// Whether row r asks for anything beside a mask.
inline bool editsRow(const StepEdits& e, int r) {
  return e.allowed[r] >= 0 || e.biasStarts[r] < e.biasStarts[r + 1] || e.badWordStarts[r] < e.badWordStarts[r + 1] ||
         e.repetition[r] != 1 || e.presence[r] != 0 || e.frequency[r] != 0;
}

// Tokens that a row looks back at: `size` of them in memory, then `newest`, unless it is -1.
struct Past {
  const int32_t* tokens;
  int size, newest;
  int length() const { return size + (newest >= 0 ? 1 : 0); }
  int operator[](int i) const { return i < size ? tokens[i] : newest; }
};

inline void forbidBadWords(float* x, int n, const int32_t* word, const int32_t* end, const Past& output) {
  for (; word < end; word += 1 + *word) {
    const int before = *word - 1, last = word[*word];
    bool matches = before <= output.length() && last < n;
    for (int i = 0; matches && i < before; i++) matches = output[output.length() - before + i] == word[1 + i];
    if (matches) x[last] = forbidden;
  }
}

// Once for each id, however often it occurs. `marks` has room for n.
inline void penalizeRepetition(float* x, int n, float penalty, const Past& past, int* marks) {
  for (int i = 0; i < past.length(); i++)
    if (past[i] < n) marks[past[i]] = 0;
  for (int i = 0; i < past.length(); i++) {
    const int id = past[i];
    if (id >= n || marks[id]++ > 0) continue;
    x[id] = x[id] > 0 ? x[id] / penalty : x[id] * penalty;
  }
}

inline void penalizeOccurrence(float* x, int n, float frequency, float presence, const Past& output, int* counts) {
  for (int i = 0; i < output.length(); i++)
    if (output[i] < n) counts[output[i]] = 0;
  for (int i = 0; i < output.length(); i++)
    if (output[i] < n) counts[output[i]]++;
  for (int i = 0; i < output.length(); i++) {
    const int id = output[i];
    if (id >= n || counts[id] == 0) continue;
    x[id] = x[id] - frequency * static_cast<float>(counts[id]);
    x[id] = x[id] - presence;
    counts[id] = 0;
  }
}

// Allowed ids, bad words, biases, penalties. `newest`: the newest output token, -1 where there is none. `marks`: n ints.
inline void editRow(float* x, int n, const StepEdits& e, int r, int newest, int* marks) {
  if (e.allowed[r] >= 0) keepSet(x, n, e.masks + int64_t{e.allowed[r]} * e.words);
  const int32_t* past = e.history + e.historyStarts[r];
  const int size = e.historyStarts[r + 1] - e.historyStarts[r], prompt = e.promptCounts[r];
  const Past output{past + prompt, size - prompt, newest};
  forbidBadWords(x, n, e.badWords + e.badWordStarts[r], e.badWords + e.badWordStarts[r + 1], output);
  for (int i = e.biasStarts[r]; i < e.biasStarts[r + 1]; i++) x[e.biasIds[i]] = x[e.biasIds[i]] + e.biasValues[i];
  if (e.repetition[r] != 1) penalizeRepetition(x, n, e.repetition[r], {past, size, newest}, marks);
  if (e.presence[r] != 0 || e.frequency[r] != 0) penalizeOccurrence(x, n, e.frequency[r], e.presence[r], output, marks);
}

}  // namespace
}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
