#include "worker.h"

namespace millrace {

Worker::Worker(LoadSpec spec, std::function<void(Model*, std::exception_ptr)> loaded)
    : thread_([this, spec = std::move(spec), loaded = std::move(loaded)]() mutable { run(std::move(spec), loaded); }) {}

Worker::~Worker() {
  abandon_.store(true);
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Worker::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Worker::close(std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    closed_ = std::move(done);
  }
  wake_.notify_one();
}

void Worker::run(LoadSpec spec, const std::function<void(Model*, std::exception_ptr)>& loaded) {
  flushDenormals();
  try {
    model_ = std::make_unique<Model>(std::move(spec));
  } catch (...) {
    if (!abandon_.load()) loaded(nullptr, std::current_exception());
  }
  if (model_ && !abandon_.load()) loaded(model_.get(), nullptr);
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return closing_ || !jobs_.empty(); });
    if (jobs_.empty() || abandon_.load()) break;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job(model_.get());
  }
  model_.reset();
  if (closed_ && !abandon_.load()) closed_();
}

}  // namespace millrace
