// The pool runs every tile once, whatever the number of tiles and threads, and an op is over when its tiles are.
#include "thread_pool.h"

#include <chrono>
#include <cmath>

#include "expect.h"

using namespace millrace;
using namespace millrace::test;

namespace {

template <class F>
void run(Parallel& pool, int tiles, F& fn) {
  pool.run(
      tiles, [](void* state, int tile, int thread) { (*static_cast<F*>(state))(tile, thread); }, &fn);
}

void everyTileOnce(int threads) {
  ThreadPool pool(threads);
  for (int round = 0; round < 2000; round++) {
    const int tiles = round * 7 % 61;
    std::vector<std::atomic<int>> seen(static_cast<size_t>(tiles));
    std::atomic<bool> strayed{false};
    auto tile = [&](int index, int thread) {
      seen[static_cast<size_t>(index)]++;
      if (thread < 0 || thread >= threads) strayed = true;
    };
    run(pool, tiles, tile);
    bool once = !strayed;
    for (auto& count : seen) once = once && count == 1;
    if (!once) return expect(false, "every tile runs once with " + std::to_string(threads) + " threads");
  }
}

// Sleeping workers wake for the next op.
void wakesAfterSleep() {
  ThreadPool pool(3);
  for (int round = 0; round < 20; round++) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::atomic<int> sum{0};
    auto tile = [&](int index, int) { sum += index; };
    run(pool, 100, tile);
    expect(sum == 4950, "an op after a sleep is complete");
  }
}

// One slow tile: run() returns only when it is done too.
void waitsForTheLast() {
  ThreadPool pool(2);
  for (int slow : {0, 1, 7}) {
    std::atomic<int> done{0};
    auto tile = [&](int index, int) {
      if (index == slow) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      done++;
    };
    run(pool, 8, tile);
    expect(done == 8, "run() waits for the slowest tile");
  }
}

void flushesDenormals() {
  ThreadPool pool(2);
  flushDenormals();
  std::atomic<int> flushed{0};
  auto tile = [&](int, int) {
    volatile float tiny = 1e-30f, product = tiny * 1e-10f;
    if (product == 0) flushed++;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  };
  run(pool, 16, tile);
  expect(flushed == 16, "every compute thread flushes denormals");
}

void scratchGrows() {
  ScratchBuffers scratch(2);
  for (size_t bytes : {1u, 63u, 64u, 1000u, 100000u}) {
    auto* at = static_cast<std::byte*>(scratch.forThread(1, bytes));
    expect(reinterpret_cast<uintptr_t>(at) % 64 == 0, "scratch is aligned");
    std::fill(at, at + bytes, std::byte{1});
    expect(scratch.forOp(bytes) != at, "the op's buffer is its own");
  }
}

}  // namespace

int main() {
  for (int threads : {1, 2, 3, 8}) everyTileOnce(threads);
  wakesAfterSleep();
  waitsForTheLast();
  flushesDenormals();
  scratchGrows();
  expect(availableThreads() >= 1, "there is a thread to run on");
  return broken > 0;
}
