// The one native thread of a model: it loads, runs what is queued in order, and ends. Knows nothing of JavaScript.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "model.h"

namespace millrace {

class Worker {
 public:
  using Job = std::function<void(Model*)>;
  // Loads on the new thread, then calls `loaded(model, nullptr)`, or `loaded(nullptr, error)` after which jobs see no model.
  Worker(LoadSpec spec, std::function<void(Model*, std::exception_ptr)> loaded);
  // Joins: the job that runs is abandoned between two instructions, jobs still queued are dropped.
  ~Worker();
  void post(Job job);
  // Runs `done` after the jobs posted so far, when the model's memory has been given back. Nothing may be posted afterwards.
  void close(std::function<void()> done);
  const std::atomic<bool>& abandoned() const { return abandon_; }

 private:
  void run(LoadSpec spec, const std::function<void(Model*, std::exception_ptr)>& loaded);

  std::atomic<bool> abandon_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  std::unique_ptr<Model> model_;
  std::function<void()> closed_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace millrace
