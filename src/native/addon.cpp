// The addon: info(), load() and the handle of a loaded model. One instance an environment (main thread, workers), no globals.
#include <napi.h>

#include <fstream>
#include <memory>

#include "addon_cuda.h"
#include "addon_values.h"
#include "worker.h"

namespace millrace {
namespace {

// Carries what a native thread has to say to the JavaScript thread.
using Delivery = std::function<void(Napi::Env)>;

void deliver(Napi::Env env, Napi::Function, std::nullptr_t*, Delivery* delivery) {
  const std::unique_ptr<Delivery> owned(delivery);
  if (env == nullptr) return;
  try {
    (*owned)(env);
  } catch (const Napi::Error& error) {
    // In an environment that worker.terminate() is ending every call fails, with no value: nobody is left to tell.
    if (!error.IsEmpty()) napi_fatal_exception(env, error.Value());
  }
}
using Channel = Napi::TypedThreadSafeFunction<std::nullptr_t, Delivery, deliver>;

struct Instance {
  Napi::FunctionReference handle;
};

// A model of one environment. Everything here runs on the environment's thread but the bodies of posted jobs.
class Handle : public Napi::ObjectWrap<Handle> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Model",
                       {InstanceMethod<&Handle::step>("step"), InstanceMethod<&Handle::close>("close"),
                        InstanceMethod<&Handle::readSlot>("readSlot"), InstanceMethod<&Handle::writeSlot>("writeSlot"),
                        InstanceMethod<&Handle::readCache>("readCache"), InstanceMethod<&Handle::writeCache>("writeCache")});
  }

  explicit Handle(const Napi::CallbackInfo& info) : ObjectWrap(info), env_(info.Env()) {
    channel_ = Channel::New(env_, "millrace", 0, 1);
    channel_.Unref(env_);
    // process.exit and worker.terminate() run no finalizers: the thread must end before the environment's memory does.
    napi_add_env_cleanup_hook(env_, onExit, this);
  }

  ~Handle() override { end(); }

  void load(LoadSpec spec, const Napi::Function& callback) {
    const auto reply = expectReply(callback);
    worker_ = std::make_unique<Worker>(std::move(spec), [this, reply](Model* model, std::exception_ptr error) {
      send([this, reply, model, error](Napi::Env env) {
        if (error) return answer(env, reply, {js::error(env, error)});
        model_ = model;
        Napi::Object facts = Value();
        facts.Set("weightBytes", static_cast<double>(model->weightBytes()));
        facts.Set("cacheBytes", static_cast<double>(model->cacheBytes()));
        facts.Set("arenaBytes", static_cast<double>(model->arenaBytes()));
        facts.Set("threads", model->threads());
        facts.Set("isa", model->isa());
        answer(env, reply, {env.Null(), facts});
      });
    });
  }

 private:
  using Reply = std::shared_ptr<Napi::FunctionReference>;

  // While a reply is owed, neither the handle nor the event loop goes away.
  Reply expectReply(const Napi::Function& callback) {
    if (owed_++ == 0) {
      Ref();
      channel_.Ref(env_);
    }
    return std::make_shared<Napi::FunctionReference>(Napi::Persistent(callback));
  }

  void answer(Napi::Env env, const Reply& reply, const std::vector<napi_value>& values) {
    Napi::Function callback = reply->Value();
    reply->Reset();
    if (--owed_ == 0) {
      channel_.Unref(env);
      Unref();
    }
    callback.Call(values);
  }

  // From any thread.
  void send(Delivery delivery) {
    auto boxed = std::make_unique<Delivery>(std::move(delivery));
    if (channel_.NonBlockingCall(boxed.get()) == napi_ok) (void)boxed.release();
  }

  void requireModel(bool idle) {
    if (!model_) throw Napi::Error::New(env_, "the model is closed");
    if (idle && owed_ > 0) throw Napi::Error::New(env_, "a step is running");
  }

  Napi::Value step(const Napi::CallbackInfo& info) {
    requireModel(false);
    if (owed_ >= 2) throw Napi::Error::New(env_, "a step is running and one is queued already");
    auto data = std::make_shared<StepData>(js::stepData(info[0].As<Napi::Object>()));
    const auto reply = expectReply(info[1].As<Napi::Function>());
    const std::atomic<bool>& abandon = worker_->abandoned();  // worker_ itself is null while its destructor waits
    worker_->post([this, data, reply, &abandon](Model* model) {
      std::exception_ptr error;
      auto result = std::make_shared<StepAnswer>();
      try {
        *result = model->step(std::move(*data), abandon);
      } catch (...) {
        error = std::current_exception();
      }
      send([this, reply, result, error](Napi::Env env) {
        if (error) return answer(env, reply, {js::error(env, error)});
        answer(env, reply, {env.Null(), js::stepResult(env, *result)});
      });
    });
    return env_.Undefined();
  }

  // Steps posted before run to their end; then memory and thread are given back and the callback is called.
  Napi::Value close(const Napi::CallbackInfo& info) {
    requireModel(false);
    model_ = nullptr;
    const auto reply = expectReply(info[0].As<Napi::Function>());
    worker_->close([this, reply] {
      send([this, reply](Napi::Env env) {
        worker_.reset();
        answer(env, reply, {env.Null()});
      });
    });
    return env_.Undefined();
  }

  // For tests, while no step runs: readSlot(slot, rows), writeSlot(slot, values), readCache(group, layer, slots, keys, values)
  // which fills keys and values, and writeCache with the same arguments.
  Napi::Value readSlot(const Napi::CallbackInfo& info) {
    requireModel(true);
    const int32_t index = info[0].As<Napi::Number>(), rows = info[1].As<Napi::Number>();
    const SlotView slot = model_->slot(index);
    if (rows < 0 || rows > model_->slotRows(index)) throw Napi::RangeError::New(env_, "the slot has fewer rows");
    const size_t count = static_cast<size_t>(rows) * static_cast<size_t>(slot.width);
    return js::fromVector(env_, std::vector<float>(slot.data, slot.data + count));
  }

  Napi::Value writeSlot(const Napi::CallbackInfo& info) {
    requireModel(true);
    const int32_t index = info[0].As<Napi::Number>();
    const SlotView slot = model_->slot(index);
    const auto values = js::toVector<float>(info[1], "values");
    if (values.size() > static_cast<size_t>(model_->slotRows(index)) * static_cast<size_t>(slot.width))
      throw Napi::RangeError::New(env_, "the slot has fewer rows");
    std::copy(values.begin(), values.end(), slot.data);
    return env_.Undefined();
  }

  Napi::Value readCache(const Napi::CallbackInfo& info) {
    requireModel(true);
    model_->readCache(info[0].As<Napi::Number>(), info[1].As<Napi::Number>(), js::toVector<int32_t>(info[2], "slots"),
                      info[3].As<Napi::Float32Array>().Data(), info[4].As<Napi::Float32Array>().Data());
    return env_.Undefined();
  }

  Napi::Value writeCache(const Napi::CallbackInfo& info) {
    requireModel(true);
    model_->writeCache(info[0].As<Napi::Number>(), info[1].As<Napi::Number>(), js::toVector<int32_t>(info[2], "slots"),
                       info[3].As<Napi::Float32Array>().Data(), info[4].As<Napi::Float32Array>().Data());
    return env_.Undefined();
  }

  static void onExit(void* self) {
    auto* handle = static_cast<Handle*>(self);
    handle->exiting_ = true;
    handle->end();
  }

  void end() {
    if (ended_) return;
    ended_ = true;
    model_ = nullptr;
    worker_.reset();
    if (exiting_) return;  // Node closes the channel itself
    napi_remove_env_cleanup_hook(env_, onExit, this);
    channel_.Release();
  }

  Napi::Env env_;
  Channel channel_;
  std::unique_ptr<Worker> worker_;
  Model* model_ = nullptr;
  int owed_ = 0;
  bool ended_ = false, exiting_ = false;
};

std::string cpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "CPU";
}

// info(isa): what load would take; throws for an isa that does not exist or that this CPU lacks.
Napi::Value info(const Napi::CallbackInfo& call) {
  const std::string isa = call[0].IsString() ? call[0].ToString().Utf8Value() : "";
  auto facts = Napi::Object::New(call.Env());
  try {
    facts.Set("isa", selectKernels(isa.empty() ? nullptr : isa.c_str()).isa);
  } catch (const std::exception& e) {
    throw Napi::Error::New(call.Env(), e.what());
  }
  facts.Set("threads", availableThreads());
  facts.Set("cpu", cpuName());
  return facts;
}

// load(request, callback(error, handle))
Napi::Value load(const Napi::CallbackInfo& call) {
  LoadSpec spec = js::loadSpec(call[0].As<Napi::Object>());
  const Napi::Object object = call.Env().GetInstanceData<Instance>()->handle.New({});
  Handle::Unwrap(object)->load(std::move(spec), call[1].As<Napi::Function>());
  return call.Env().Undefined();
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Instance{Napi::Persistent(Handle::define(env))});
  exports.Set("info", Napi::Function::New<info>(env));
  exports.Set("cudaInfo", Napi::Function::New<js::cudaInfo>(env));
  exports.Set("load", Napi::Function::New<load>(env));
  return exports;
}

}  // namespace
}  // namespace millrace

static Napi::Object Initialize(Napi::Env env, Napi::Object exports) { return millrace::initialize(env, exports); }
NODE_API_MODULE(millrace, Initialize)
