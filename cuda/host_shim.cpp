#include "host_shim.h"

#include <ucontext.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace millrace::shim {
namespace {

constexpr size_t stackBytes = 64 * 1024;
constexpr unsigned warpSize = 32;
enum class State { ready, atWarp, atBlock, done };

struct Fiber {
  ucontext_t context;
  std::unique_ptr<char[]> stack{new char[stackBytes]};
  State state = State::ready;
  float lane = 0;  // what this thread offers to its warp
};

std::vector<Fiber> fibers;
unsigned threads = 0, current = 0;
ucontext_t scheduler;
const std::function<void()>* body = nullptr;

void enter() {
  (*body)();
  fibers[current].state = State::done;
}

void pause(State state) {
  Fiber& fiber = fibers[current];
  fiber.state = state;
  swapcontext(&fiber.context, &scheduler);
}

// Wakes threads [from, to) when all of them wait at `state` or have ended.
void open(unsigned from, unsigned to, State state) {
  for (unsigned t = from; t < to; t++)
    if (fibers[t].state != state && fibers[t].state != State::done) return;
  for (unsigned t = from; t < to; t++)
    if (fibers[t].state == state) fibers[t].state = State::ready;
}

// Gives every ready thread one turn; false when none was ready.
bool turn() {
  bool ran = false;
  for (current = 0; current < threads; current++) {
    if (fibers[current].state != State::ready) continue;
    ran = true;
    threadIdx = dim3(current, 0, 0);
    swapcontext(&scheduler, &fibers[current].context);
  }
  return ran;
}

void prepare(Fiber& fiber) {
  fiber.state = State::ready;
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.get();
  fiber.context.uc_stack.ss_size = stackBytes;
  fiber.context.uc_link = &scheduler;
  makecontext(&fiber.context, enter, 0);
}

void runBlock() {
  for (unsigned t = 0; t < threads; t++) prepare(fibers[t]);
  while (turn()) {
    for (unsigned t = 0; t < threads; t += warpSize) open(t, std::min(t + warpSize, threads), State::atWarp);
    open(0, threads, State::atBlock);
  }
  for (unsigned t = 0; t < threads; t++)
    if (fibers[t].state != State::done) {
      std::fprintf(stderr, "host shim: thread %u of block (%u, %u) waits at a barrier that others never reach\n", t,
                   blockIdx.x, blockIdx.y);
      std::abort();
    }
}

}  // namespace

void waitForBlock() { pause(State::atBlock); }

float exchangeInWarp(float value, int laneMask) {
  const unsigned self = current, other = self ^ static_cast<unsigned>(laneMask);
  fibers[self].lane = value;
  pause(State::atWarp);
  const float answer = other < threads ? fibers[other].lane : value;
  pause(State::atWarp);  // nobody offers anew before all have read
  return answer;
}

void run(dim3 grid, dim3 block, const std::function<void()>& kernel) {
  threads = block.x;  // kernels here use one-dimensional blocks
  if (fibers.size() < threads) fibers = std::vector<Fiber>(threads);
  body = &kernel;
  gridDim = grid;
  blockDim = block;
  for (unsigned y = 0; y < grid.y; y++)
    for (unsigned x = 0; x < grid.x; x++) {
      blockIdx = dim3(x, y, 0);
      runBlock();
    }
}

}  // namespace millrace::shim
