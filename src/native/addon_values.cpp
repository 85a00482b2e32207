#include "addon_values.h"

#include "errors.h"

namespace millrace::js {
namespace {

int32_t integer(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) throw Napi::TypeError::New(object.Env(), std::string(name) + " is not a number");
  return value.As<Napi::Number>().Int32Value();
}

int64_t longInteger(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) throw Napi::TypeError::New(object.Env(), std::string(name) + " is not a number");
  return value.As<Napi::Number>().Int64Value();
}

// Rows of `width` numbers in one typed array; calls each(row) for all.
template <class T, class Each>
void records(const Napi::Object& object, const char* name, size_t width, Each&& each) {
  const std::vector<T> values = field<T>(object, name);
  if (values.size() % width != 0)
    throw Napi::TypeError::New(object.Env(), std::string(name) + " does not hold whole records");
  for (size_t at = 0; at < values.size(); at += width) each(values.data() + at);
}

ops::Dtype dtype(Napi::Env env, int32_t code) {
  if (code < 0 || code > 2) throw Napi::TypeError::New(env, "a dtype is unknown");
  return static_cast<ops::Dtype>(code);
}

WeightSpec weightSpec(const Napi::Object& from) {
  const int32_t kind = integer(from, "kind");
  if (kind < 0 || kind > 2) throw Napi::TypeError::New(from.Env(), "a weight's kind is unknown");
  WeightSpec spec{from.Get("name").ToString(),
                  static_cast<WeightKind>(kind),
                  dtype(from.Env(), integer(from, "dtype")),
                  integer(from, "rows"),
                  integer(from, "columns"),
                  {},
                  field<float>(from, "constant")};
  records<double>(from, "segments", 9, [&](const double* v) {
    spec.segments.push_back({static_cast<int32_t>(v[0]), static_cast<int64_t>(v[1]), static_cast<int64_t>(v[2]),
                             dtype(from.Env(), static_cast<int32_t>(v[3])), static_cast<int64_t>(v[4]),
                             static_cast<int64_t>(v[5]), static_cast<int32_t>(v[6]), static_cast<int32_t>(v[7]), v[8] != 0});
  });
  return spec;
}

StepEditData editData(const Napi::Object& edits) {
  return {field<int32_t>(edits, "mask"),          field<int32_t>(edits, "allowed"),       field<int32_t>(edits, "biasStarts"),
          field<int32_t>(edits, "biasIds"),       field<int32_t>(edits, "badWordStarts"), field<int32_t>(edits, "badWords"),
          field<int32_t>(edits, "historyStarts"), field<int32_t>(edits, "history"),       field<int32_t>(edits, "promptCounts"),
          field<uint32_t>(edits, "masks"),        field<float>(edits, "biasValues"),      field<float>(edits, "repetition"),
          field<float>(edits, "presence"),        field<float>(edits, "frequency")};
}

StepPoolData poolData(const Napi::Object& pool) {
  return {field<int32_t>(pool, "tokenTypes"), field<int32_t>(pool, "carries"), field<int32_t>(pool, "pooled"), field<int32_t>(pool, "each")};
}

Napi::Object poolResult(Napi::Env env, const StepAnswer& answer) {
  auto pool = Napi::Object::New(env);
  pool.Set("pooled", fromVector(env, answer.pooled));
  pool.Set("each", fromVector(env, answer.each));
  pool.Set("faults", fromVector(env, answer.poolFaults));
  return pool;
}

}  // namespace

LoadSpec loadSpec(const Napi::Object& request) {
  LoadSpec spec{};
  PlanSpec& plan = spec.plan;
  plan.words = field<int32_t>(request, "words");
  plan.headStart = integer(request, "headStart");
  plan.tokenBytes = longInteger(request, "tokenBytes");
  plan.outputBytes = longInteger(request, "outputBytes");
  records<double>(request, "slots", 3, [&](const double* v) {
    plan.slots.push_back({v[0] != 0, static_cast<int32_t>(v[1]), static_cast<int64_t>(v[2])});
  });
  records<int32_t>(request, "groups", 6, [&](const int32_t* v) {
    plan.groups.push_back({v[0], v[1], v[2], v[3], dtype(request.Env(), v[4]), v[5]});
  });
  const auto weights = request.Get("weights").As<Napi::Array>();
  for (uint32_t i = 0; i < weights.Length(); i++) plan.weights.push_back(weightSpec(weights.Get(i).As<Napi::Object>()));
  records<int32_t>(request, "logits", 3, [&](const int32_t* v) { plan.logits = {1, v[0], v[1], v[2]}; });
  plan.vocabSize = integer(request, "vocabSize");
  records<int32_t>(request, "pooled", 3, [&](const int32_t* v) { plan.pooled = {1, v[0], v[1], v[2]}; });
  records<int32_t>(request, "each", 3, [&](const int32_t* v) { plan.each = {1, v[0], v[1], v[2]}; });
  plan.eachStart = integer(request, "eachStart");
  plan.carryWidth = integer(request, "carryWidth");
  spec.capacity = {integer(request, "maxTokens"), integer(request, "maxSequences"), integer(request, "blocks"),
                   integer(request, "blockSize")};
  const auto files = request.Get("files").As<Napi::Array>();
  for (uint32_t i = 0; i < files.Length(); i++) spec.files.push_back(files.Get(i).ToString());
  spec.threads = integer(request, "numThreads");
  spec.isa = request.Get("isa").ToString();
  return spec;
}

StepData stepData(const Napi::Object& input) {
  const auto rows = input.Get("rows").As<Napi::Object>();
  StepData data{field<int32_t>(input, "tokens"),
                field<int32_t>(input, "positions"),
                field<int32_t>(input, "sequenceStarts"),
                field<int32_t>(input, "contextLengths"),
                field<int32_t>(input, "copies"),
                {},
                field<int32_t>(rows, "index"),
                field<int32_t>(rows, "target"),
                field<int32_t>(rows, "logprobs"),
                field<int32_t>(rows, "topK"),
                field<float>(rows, "temperature"),
                field<float>(rows, "topP"),
                field<float>(rows, "minP"),
                field<uint32_t>(rows, "seed"),
                field<uint32_t>(rows, "outputIndex")};
  const Napi::Value edits = rows.Get("edits");
  if (edits.IsObject()) data.edits = editData(edits.As<Napi::Object>());
  const Napi::Value pool = input.Get("pool");
  if (pool.IsObject()) data.pool = poolData(pool.As<Napi::Object>());
  const auto groups = input.Get("cacheGroups").As<Napi::Array>();
  for (uint32_t i = 0; i < groups.Length(); i++) {
    const auto group = groups.Get(i).As<Napi::Object>();
    data.groups.push_back({field<int32_t>(group, "slots"), field<int32_t>(group, "blockTables"),
                           field<int32_t>(group, "blockTableStarts")});
  }
  return data;
}

Napi::Object stepResult(Napi::Env env, const StepAnswer& answer) {
  auto result = Napi::Object::New(env);
  result.Set("tokens", fromVector(env, answer.tokens));
  result.Set("logprobs", fromVector(env, answer.logprobs));
  result.Set("ranks", fromVector(env, answer.ranks));
  result.Set("faults", fromVector(env, answer.faults));
  result.Set("top", answer.top);
  result.Set("topTokens", fromVector(env, answer.topTokens));
  result.Set("topLogprobs", fromVector(env, answer.topLogprobs));
  if (answer.pools) result.Set("pool", poolResult(env, answer));
  result.Set("elapsed", answer.elapsed);
  return result;
}

Napi::Value error(Napi::Env env, const std::exception_ptr& cause) {
  std::string kind = "device", message = "unknown native failure";
  try {
    std::rethrow_exception(cause);
  } catch (const CheckpointError& e) {
    kind = "checkpoint", message = e.what();
  } catch (const MemoryError& e) {
    kind = "memory", message = e.what();
  } catch (const PlanError& e) {
    kind = "plan", message = e.what();
  } catch (const StepError& e) {
    kind = "step", message = e.what();
  } catch (const std::bad_alloc&) {
    kind = "memory", message = "out of memory";
  } catch (const std::exception& e) {
    message = e.what();
  }
  auto value = Napi::Error::New(env, message).Value();
  value.As<Napi::Object>().Set("kind", kind);
  return value;
}

}  // namespace millrace::js
