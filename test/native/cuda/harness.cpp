// Runs op cases on a CUDA module: `harness MODULE` prints what the module is; `harness MODULE run < cases > results`.
// The module may be the real one or the host shim's: cases go through the same functions as the runtime's.
//
// A case, little endian:  i32 words, the instruction;  i32 operands, then {present, rows, columns, stride, dtype} each;
//   i32 tokens, blockSize, slots, keyBytes, valueBytes;  then the bytes of operands, token ids, positions, slots, keys, values.
// A result:  i32 status;  0: the bytes of operands, keys, values after the launch;  1: i32 length and the refusal.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "cuda_module.h"

using namespace millrace;
using namespace millrace::cuda;

namespace {

const ModuleFunctions* module = nullptr;
Failure failure{};

[[noreturn]] void fail(const std::string& reason) {
  std::fprintf(stderr, "%s\n", reason.c_str());
  std::exit(1);
}
void demand(int32_t status) {
  if (status) fail(failure.reason);
}

// False at the end of the input when `mayEnd`; a torn input is an error.
bool read(void* to, size_t bytes, bool mayEnd = false) {
  if (bytes == 0) return true;  // an empty vector's data may be null
  const size_t got = std::fread(to, 1, bytes, stdin);
  if (got == bytes) return true;
  if (mayEnd && got == 0) return false;
  fail("the case file ends inside a case");
}
template <class T>
void write(const T* from, size_t count) {
  if (count > 0) std::fwrite(from, sizeof(T), count, stdout);
}

// Device memory that starts with bytes of the case file.
struct Buffer {
  std::vector<char> host;
  void* device = nullptr;
  explicit Buffer(size_t bytes) : host(bytes) {
    read(host.data(), bytes);
    demand(module->allocate(bytes, &device, &failure));
    demand(module->upload(device, host.data(), bytes, &failure));
  }
  Buffer(Buffer&& other) noexcept : host(std::move(other.host)), device(std::exchange(other.device, nullptr)) {}
  ~Buffer() {
    if (device) module->release(device, &failure);
  }
  void answer() {
    demand(module->download(host.data(), device, host.size(), &failure));
    write(host.data(), host.size());
  }
};

struct OperandHeader {
  int32_t present, rows, columns, stride;
  ops::Dtype dtype;
};
struct StepHeader {
  int32_t tokens, blockSize, slots, keyBytes, valueBytes;
};

bool runCase() {
  int32_t words = 0, operandCount = 0;
  if (!read(&words, sizeof words, true)) return false;
  std::vector<int32_t> instruction(words);
  read(instruction.data(), words * sizeof(int32_t));
  read(&operandCount, sizeof operandCount);
  std::vector<OperandHeader> headers(operandCount);
  read(headers.data(), operandCount * sizeof(OperandHeader));
  StepHeader shape;
  read(&shape, sizeof shape);

  std::vector<Buffer> buffers;
  std::vector<DeviceMatrix> operands;
  for (const OperandHeader& h : headers) {
    const size_t bytes = size_t(h.rows) * h.stride * (h.dtype == ops::Dtype::float32 ? 4 : 2);
    buffers.emplace_back(h.present ? bytes : 0);
    operands.push_back({h.present ? buffers.back().device : nullptr, h.stride, h.rows, h.columns, h.dtype});
  }
  Buffer tokenIds(shape.tokens * 4), positions(shape.tokens * 4), types(shape.tokens * 4), slots(shape.slots * 4), keys(shape.keyBytes), values(shape.valueBytes);
  const DeviceCache layer{keys.device, values.device};
  const DeviceCacheGroup group{static_cast<int32_t*>(slots.device), &layer, 1};
  const DeviceStep step{static_cast<int32_t*>(tokenIds.device), static_cast<int32_t*>(positions.device),
                        static_cast<int32_t*>(types.device), shape.tokens, shape.blockSize, &group, shape.slots > 0 ? 1 : 0};

  const int32_t status = module->launch(instruction.data(), operands.data(), &step, &failure);
  write(&status, 1);
  if (status) {
    const std::string reason = failure.reason;
    const int32_t length = static_cast<int32_t>(reason.size());
    write(&length, 1);
    write(reason.data(), reason.size());
    return true;
  }
  demand(module->synchronize(&failure));
  for (Buffer& buffer : buffers) buffer.answer();
  keys.answer();
  values.answer();
  return true;
}

void describe(const Module& loaded) {
  std::printf("{\"reason\":\"%s\",\"devices\":[", loaded.reason.c_str());
  for (size_t i = 0; i < loaded.devices.size(); i++)
    std::printf("%s\"%s\"", i ? "," : "", loaded.devices[i].name.c_str());
  std::printf("],\"implements\":[");
  for (int32_t op = 0, listed = 0; loaded.functions && op < ops::opCount; op++)
    if (loaded.functions->implements(op)) std::printf("%s%d", listed++ ? "," : "", op);
  std::printf("]}\n");
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) fail("usage: harness MODULE [run]");
  const Module loaded = loadModule(arguments[1]);
  if (count == 2) return describe(loaded), 0;
  if (loaded.devices.empty()) fail(loaded.reason);
  module = loaded.functions;
  demand(module->select(0, &failure));
  while (runCase()) {
  }
}
