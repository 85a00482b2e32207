#include "thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <new>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace millrace {
namespace {

constexpr int fieldBits = 21;
constexpr uint64_t fieldMask = (uint64_t{1} << fieldBits) - 1;
constexpr int maxTiles = 1 << 20;  // the fields are narrow; nobody makes so many in earnest
int nextOf(uint64_t word) { return static_cast<int>(word & fieldMask); }
int endOf(uint64_t word) { return static_cast<int>(word >> fieldBits & fieldMask); }

// The gap between two ops of a step is shorter than this; a longer one is worth a sleep.
constexpr auto spinTime = std::chrono::microseconds(20);

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Spins a while on `value` differing from `old`, then sleeps until it does.
void awaitChange(std::atomic<int>& value, int old) {
  const auto deadline = std::chrono::steady_clock::now() + spinTime;
  do {
    for (int i = 0; i < 32; i++) {
      if (value.load(std::memory_order_acquire) != old) return;
      pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) : runs_(static_cast<size_t>(std::max(threads, 1))) {
  for (int thread = 1; thread < threads; thread++) workers_.emplace_back([this, thread] { work(thread); });
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (auto& worker : workers_) worker.join();
}

bool ThreadPool::Run::takeFront(int& tile) {
  uint64_t seen = word.load(std::memory_order_relaxed);
  do {
    if (nextOf(seen) >= endOf(seen)) return false;
    tile = nextOf(seen);
  } while (!word.compare_exchange_weak(seen, seen + 1, std::memory_order_acquire, std::memory_order_relaxed));
  return true;
}

bool ThreadPool::Run::takeBack(int& tile) {
  uint64_t seen = word.load(std::memory_order_relaxed);
  do {
    if (nextOf(seen) >= endOf(seen)) return false;
    tile = endOf(seen) - 1;
  } while (!word.compare_exchange_weak(seen, seen - (uint64_t{1} << fieldBits), std::memory_order_acquire, std::memory_order_relaxed));
  return true;
}

void ThreadPool::publish(int tiles) {
  const int generation = generation_.load(std::memory_order_relaxed) + 1;
  const auto threads = static_cast<int64_t>(runs_.size());
  tiles_ = tiles;
  finished_.store(0, std::memory_order_relaxed);
  for (int64_t thread = 0; thread < threads; thread++) {
    const auto begin = static_cast<uint64_t>(thread * tiles / threads), end = static_cast<uint64_t>((thread + 1) * tiles / threads);
    runs_[static_cast<size_t>(thread)].word.store(
        static_cast<uint64_t>(static_cast<uint32_t>(generation)) << (2 * fieldBits) | end << fieldBits | begin, std::memory_order_release);
  }
  generation_.store(generation, std::memory_order_release);
  generation_.notify_all();
}

bool ThreadPool::claim(int thread, int& tile) {
  const int threads = static_cast<int>(runs_.size());
  bool found = runs_[static_cast<size_t>(thread)].takeFront(tile);
  for (int other = 1; !found && other < threads; other++) found = runs_[static_cast<size_t>((thread + other) % threads)].takeBack(tile);
  return found;
}

// Tiles are counted when none is left to claim: adding to a number that the other threads add to holds up the loads behind it until
// its line arrives, which takes a microsecond or two while the tiles keep the memory busy.
void ThreadPool::drain(int thread) {
  int done = 0;
  for (int tile; claim(thread, tile); done++) task_(state_, tile, thread);
  if (done == 0) return;
  const int tiles = tiles_;
  if (finished_.fetch_add(done, std::memory_order_acq_rel) + done == tiles) finished_.notify_one();
}

void ThreadPool::run(int tiles, Task task, void* state) {
  if (tiles <= 1 || tiles > maxTiles || workers_.empty()) {
    for (int tile = 0; tile < tiles; tile++) task(state, tile, 0);
    return;
  }
  task_ = task;
  state_ = state;
  publish(tiles);
  drain(0);
  for (int done; (done = finished_.load(std::memory_order_acquire)) != tiles;) awaitChange(finished_, done);
}

void ThreadPool::work(int thread) {
  flushDenormals();
  int seen = 0;
  while (!stop_.load(std::memory_order_acquire)) {
    drain(thread);
    awaitChange(generation_, seen);
    seen = generation_.load(std::memory_order_acquire);
  }
}

void ScratchBuffers::Free::operator()(void* at) const { std::free(at); }

void* ScratchBuffers::grow(Buffer& buffer, size_t bytes) {
  if (buffer.bytes < bytes) {
    const size_t size = static_cast<size_t>(roundUp(static_cast<int64_t>(std::max(bytes, 2 * buffer.bytes)), 64));
    buffer.data.reset();
    buffer.bytes = 0;
    buffer.data.reset(std::aligned_alloc(64, size));
    if (!buffer.data) throw std::bad_alloc();
    buffer.bytes = size;
  }
  return buffer.data.get();
}

namespace {

// CPUs of the cgroup's quota, or a great number where there is none.
int cgroupThreads() {
  double quota = -1, period = 100000;
  if (std::ifstream file("/sys/fs/cgroup/cpu.max"); file) {
    std::string first;
    if (file >> first >> period && first != "max") quota = std::strtod(first.c_str(), nullptr);
  } else if (std::ifstream v1("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"); v1) {
    v1 >> quota;
    if (std::ifstream length("/sys/fs/cgroup/cpu/cpu.cfs_period_us"); length) length >> period;
  }
  return quota > 0 && period > 0 ? std::max(1, static_cast<int>(quota / period + 0.999)) : 1 << 16;
}

}  // namespace

int availableThreads() {
  int count = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) count = CPU_COUNT(&mask);
  return std::clamp(std::min(count, cgroupThreads()), 1, 256);
}

void flushDenormals() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // FTZ and DAZ
#elif defined(__aarch64__)
  uint64_t control;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" ::"r"(control | uint64_t{1} << 24));
#endif
}

}  // namespace millrace
