// Worker threads that claim tiles. An op is complete when its tiles are, never when threads arrive: a worker that the
// system holds back costs nothing as long as it holds no tile.
//
// Each thread has a run of neighbouring tiles and takes it front to back, so that what it reads lies in a row, as the
// prefetchers like it; who is done with its own takes from the back of another's.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "context.h"

namespace millrace {

class ThreadPool final : public Parallel {
 public:
  // `threads` counts the calling thread: one less is started. run() belongs to one thread at a time.
  explicit ThreadPool(int threads);
  ~ThreadPool() override;
  ThreadPool(const ThreadPool&) = delete;
  int threads() const override { return static_cast<int>(workers_.size()) + 1; }
  void run(int tiles, Task task, void* state) override;

 private:
  // [generation : 22][end : 21][next : 21] in one word: who moves `next` or `end` towards the other owns the tile between, of
  // that generation, so a late worker never takes a stale one.
  struct alignas(64) Run {
    std::atomic<uint64_t> word{0};
    bool takeFront(int& tile);
    bool takeBack(int& tile);
  };

  void work(int thread);
  bool claim(int thread, int& tile);
  void drain(int thread);
  void publish(int tiles);

  std::vector<Run> runs_;  // one a thread
  std::atomic<int> generation_{0};
  std::atomic<int> finished_{0};
  std::atomic<bool> stop_{false};
  // Of the generation that is published: read only by who owns a tile of it.
  Task task_ = nullptr;
  void* state_ = nullptr;
  int tiles_ = 0;
  std::vector<std::thread> workers_;
};

// One aligned buffer a thread and one for the op; they grow and stay.
class ScratchBuffers final : public Scratch {
 public:
  explicit ScratchBuffers(int threads) : buffers_(static_cast<size_t>(threads) + 1) {}
  void* forThread(int thread, size_t bytes) override { return grow(buffers_[static_cast<size_t>(thread) + 1], bytes); }
  void* forOp(size_t bytes) override { return grow(buffers_[0], bytes); }

 private:
  struct Free {
    void operator()(void* at) const;
  };
  struct alignas(64) Buffer {
    std::unique_ptr<void, Free> data;
    size_t bytes = 0;
  };
  static void* grow(Buffer& buffer, size_t bytes);
  std::vector<Buffer> buffers_;
};

// CPUs that this process may use: the affinity mask, and no more than the cgroup's quota.
int availableThreads();
// Flushes denormals on this thread, in and out: part of what every op means.
void flushDenormals();

}  // namespace millrace
