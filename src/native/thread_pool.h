// Worker threads that claim tiles. An op is complete when its tiles are, never when threads arrive: a worker that the
// system holds back costs nothing as long as it holds no tile.
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
  void work(int thread);
  bool claim(int thread);
  void publish(int tiles);

  // [generation : 22][tiles : 21][next : 21] in one word: who increments `next` below `tiles` owns that tile of that
  // generation, so a late worker never takes a stale one, and reads task_ and state_ only while it owns a tile.
  std::atomic<uint64_t> ticket_{0};
  std::atomic<int> generation_{0};
  std::atomic<int> finished_{0};
  std::atomic<bool> stop_{false};
  Task task_ = nullptr;
  void* state_ = nullptr;
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
