// Attention of a step's rows over paged K and V. The rows of a task are (token x query head) of one sequence and one kv head, so
// that prefill, decode and everything between are one kernel; attendTile.h says in which order a row is summed.
#pragma once
#include "attendTile.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {
constexpr int taskRows = 32;
constexpr size_t maxPartialBytes = size_t{64} << 20;

// What a token at `position` of a sequence of `length` tokens sees: causal, the last `window` (0: all) with itself;
// bidirectional, those at most `reach` away (0: all).
struct Sight {
  bool causal;
  int window, reach;
  int first(int position) const {
    if (causal) return window > 0 && position >= window ? position - window + 1 : 0;
    return reach > 0 && position > reach ? position - reach : 0;
  }
  int last(int position, int length) const { return causal ? position : reach > 0 && position + reach < length ? position + reach : length - 1; }
};

template <class F> struct Job {
  Context& context;
  Cells<F> cells;
  Matrix q, y;
  const int32_t* blockTables;
  const int32_t* blockTableStarts;
  Sight sight;
  float scale;
  int kvHeads;
  int heads;  // query heads of one kv head
  int headDim, valueDim;

  int pairs() const { return cells.keyPairs(); }
  int vectors() const { return cells.valueVectors(); }
  size_t qStride() const { return rowStride<F>(headDim); }

  int rowsOf(int s) const { return (context.step->sequenceStarts[s + 1] - context.step->sequenceStarts[s]) * heads; }
  int tasksOf(int s) const { return (rowsOf(s) + taskRows - 1) / taskRows * kvHeads; }
};

// Up to taskRows rows of sequence `s` from its row `row`, and the keys that they see.
struct Span {
  int s, kvHead, row, count;
  int first[taskRows], last[taskRows];
};

template <class F> Span spanOf(const Job<F>& job, const int* starts, int task) {
  int low = 0, high = job.context.step->sequenceCount;
  while (high - low > 1) {  // starts[low] <= task < starts[high]
    const int middle = (low + high) / 2;
    if (starts[middle] <= task) low = middle;
    else high = middle;
  }
  Span span;
  span.s = low;
  span.kvHead = (task - starts[low]) % job.kvHeads;
  span.row = (task - starts[low]) / job.kvHeads * taskRows;
  span.count = job.rowsOf(low) - span.row < taskRows ? job.rowsOf(low) - span.row : taskRows;
  for (int r = 0; r < span.count; r++) {
    const int position = job.context.step->positions[job.context.step->sequenceStarts[low] + (span.row + r) / job.heads];
    span.last[r] = job.sight.last(position, job.context.step->contextLengths[low]);
    span.first[r] = job.sight.first(position);
  }
  return span;
}

template <class F> int tokenOf(const Job<F>& job, const Span& span, int r) {
  return job.context.step->sequenceStarts[span.s] + (span.row + r) / job.heads;
}
template <class F> int headOf(const Job<F>& job, const Span& span, int r) { return span.kvHead * job.heads + (span.row + r) % job.heads; }

template <class F> void loadQueries(const Job<F>& job, const Span& span, typename F::X* to) {
  for (int r = 0; r < span.count; r++)
    convertRow<F>(to + static_cast<size_t>(r) * job.qStride(), job.q.row(tokenOf(job, span, r)) + headOf(job, span, r) * job.headDim,
                  job.headDim, 2 * job.pairs());
}

// Blocks past the context are the null block: zeros, masked in any case. A table may name blocks that are not written yet.
template <class F> TileAddress<F> addressOf(const Job<F>& job, const Span& span, int tile) {
  TileAddress<F> at;
  const int32_t* table = job.blockTables + job.blockTableStarts[span.s];
  const int blockSize = job.cells.layer.blockSize;
  const int entries = (job.context.step->contextLengths[span.s] + blockSize - 1) / blockSize;
  for (int g = 0; g < tileGroups; g++) {
    const int key = tile * tileKeys + g * lanes;
    const int64_t block = key / blockSize < entries ? table[key / blockSize] : 0;
    const auto inner = static_cast<size_t>(key % blockSize / lanes);
    at.key[g] = job.cells.key(block, span.kvHead) + inner * job.cells.keyGroup();
    at.value[g] = job.cells.value(block, span.kvHead) + inner * job.cells.valueGroup();
  }
  return at;
}

// Rows [r, r + count) of the span over the tiles [from, to), into a cleared state.
template <class F> void attendTiles(const Job<F>& job, const Span& span, const typename F::X* q, int r, int count, int from, int to, const State& state) {
  state.clear(job.vectors());
  if (from >= to) return;
  const Rows<F> rows{q + static_cast<size_t>(r) * job.qStride(), job.qStride(), span.first + r, span.last + r, job.scale};
  TileAddress<F> at = addressOf(job, span, from);
  for (int tile = from; tile < to; tile++) {
    const TileAddress<F> next = tile + 1 < to ? addressOf(job, span, tile + 1) : at;
    attendTileOf<F>(count, rows, at, next, state, tile * tileKeys, job.pairs(), job.vectors());
    at = next;
  }
}

// The tiles of split `split` that rows [r, r + count) see.
struct Tiles {
  int from, to;
};
inline Tiles tilesOf(const Span& span, int r, int count, int split) {
  constexpr int perSplit = splitKeys / tileKeys;
  int first = span.first[r], last = span.last[r];
  for (int i = r + 1; i < r + count; i++) {
    if (span.first[i] < first) first = span.first[i];
    if (span.last[i] > last) last = span.last[i];
  }
  const int from = first / tileKeys, to = last / tileKeys + 1;
  return {from > split * perSplit ? from : split * perSplit, to < (split + 1) * perSplit ? to : (split + 1) * perSplit};
}

template <class F> void writeRows(const Job<F>& job, const Span& span, int r, int count, const State& state) {
  for (int i = 0; i < count; i++) {
    float* to = job.y.row(tokenOf(job, span, r + i)) + headOf(job, span, r + i) * job.valueDim;
    const V sum = set(state.sum()[i]);
    for (int v = 0; v < job.vectors(); v++)  // + 0: a zero is +0 whatever tiles it passed
      storePart(to + v * lanes, load(state.out(i, job.vectors()) + v * lanes) / sum + set(0.f), job.valueDim - v * lanes);
  }
}

// visit(r, count) for the span's row tiles.
template <class F> inline void eachTile(const Span& span, F&& visit) {
  int r = 0;
  for (int tiles = (span.count + tileRows - 1) / tileRows; tiles > 0; tiles--) {
    const int count = (span.count - r + tiles - 1) / tiles;
    visit(r, count);
    r += count;
  }
}

inline int firstSplit(const Span& span) { return span.first[0] / splitKeys; }
inline int endSplit(const Span& span) { return span.last[span.count - 1] / splitKeys + 1; }

// A whole span on one thread: its splits in order.
template <class F> void attendSpan(const Job<F>& job, const int* starts, int task, int thread) {
  const Span span = spanOf(job, starts, task);
  const size_t stateFloats = State::floats(job.vectors());
  const size_t qBytes = job.qStride() * sizeof(typename F::X) * taskRows;
  auto* memory = static_cast<char*>(job.context.scratch(thread, qBytes + 2 * stateFloats * sizeof(float)));
  auto* q = reinterpret_cast<typename F::X*>(memory);
  const State whole{reinterpret_cast<float*>(memory + qBytes)}, part{whole.base + stateFloats};
  loadQueries(job, span, q);
  eachTile(span, [&](int r, int count) {
    whole.clear(job.vectors());
    for (int split = firstSplit(span); split < endSplit(span); split++) {
      const Tiles tiles = tilesOf(span, r, count, split);
      if (tiles.from >= tiles.to) continue;
      attendTiles(job, span, q, r, count, tiles.from, tiles.to, part);
      mergeState(whole, part, count, job.vectors());
    }
    writeRows(job, span, r, count, whole);
  });
}

// Few spans and long contexts: every split is a task of its own, and the spans merge theirs in order afterwards.
template <class F> void attendSplits(const Job<F>& job, const int* starts, int tasks, int splits, float* partials) {
  const size_t stateFloats = State::floats(job.vectors());
  constexpr int rowTiles = (taskRows + tileRows - 1) / tileRows;
  const auto partial = [&](int task, int split, int tile) {
    return State{partials + ((static_cast<size_t>(task) * static_cast<size_t>(splits) + static_cast<size_t>(split)) * rowTiles + static_cast<size_t>(tile)) * stateFloats};
  };
  job.context.parallel(tasks * splits, [&](int item, int thread) {
    const int task = item / splits, split = item % splits;
    const Span span = spanOf(job, starts, task);
    if (split < firstSplit(span) || split >= endSplit(span)) return;
    auto* q = static_cast<typename F::X*>(job.context.scratch(thread, job.qStride() * sizeof(typename F::X) * taskRows));
    loadQueries(job, span, q);
    int tile = 0;
    eachTile(span, [&](int r, int count) {
      const Tiles tiles = tilesOf(span, r, count, split);
      attendTiles(job, span, q, r, count, tiles.from, tiles.to, partial(task, split, tile++));
    });
  });
  job.context.parallel(tasks, [&](int task, int thread) {
    const Span span = spanOf(job, starts, task);
    const State whole{static_cast<float*>(job.context.scratch(thread, stateFloats * sizeof(float)))};
    int tile = 0;
    eachTile(span, [&](int r, int count) {
      whole.clear(job.vectors());
      for (int split = firstSplit(span); split < endSplit(span); split++) mergeState(whole, partial(task, split, tile), count, job.vectors());
      writeRows(job, span, r, count, whole);
      tile++;
    });
  });
}

// How the rows are divided among tasks, and the memory that takes.
template <class F> struct Division {
  int tasks = 0, splits = 0;
  bool split = false;
  size_t startBytes, partialBytes;

  explicit Division(const Job<F>& job) {
    const StepView& step = *job.context.step;
    int longest = 0;
    for (int s = 0; s < step.sequenceCount; s++) {
      tasks += job.tasksOf(s);
      if (step.contextLengths[s] > longest) longest = step.contextLengths[s];
    }
    splits = (longest + splitKeys - 1) / splitKeys;
    constexpr size_t rowTiles = (taskRows + tileRows - 1) / tileRows;
    partialBytes = static_cast<size_t>(tasks) * static_cast<size_t>(splits) * rowTiles * State::floats(job.vectors()) * sizeof(float);
    split = splits > 1 && job.context.threads() > 1 && tasks < 2 * job.context.threads() && partialBytes <= maxPartialBytes;
    startBytes = (static_cast<size_t>(step.sequenceCount + 1) * sizeof(int) + 63) / 64 * 64;
  }
  size_t bytes() const { return startBytes + (split ? partialBytes : 0); }
};

// `memory` holds division.bytes().
template <class F> void attend(const Job<F>& job, const Division<F>& division, char* memory) {
  if (division.tasks == 0) return;
  auto* starts = reinterpret_cast<int*>(memory);
  starts[0] = 0;
  for (int s = 0; s < job.context.step->sequenceCount; s++) starts[s + 1] = starts[s] + job.tasksOf(s);
  if (division.split) attendSplits(job, starts, division.tasks, division.splits, reinterpret_cast<float*>(memory + division.startBytes));
  else job.context.parallel(division.tasks, [&](int task, int thread) { attendSpan(job, starts, task, thread); });
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
