// Weights come out of files in every storage dtype, segment and odd address as they went in; hostile ranges are refused.
#include "weights.h"

#include <unistd.h>

#include <fstream>

#include "convert.h"
#include "errors.h"
#include "expect.h"
#include "thread_pool.h"

using namespace millrace;
using namespace millrace::test;

namespace {

constexpr ops::Dtype allDtypes[] = {ops::Dtype::float32, ops::Dtype::bfloat16, ops::Dtype::float16};

// Halves that every dtype holds exactly.
float value(int64_t row, int64_t column) { return static_cast<float>((row * 31 + column * 7) % 63 - 31) / 2; }

// A tensor [rows, columns] after `lead` bytes of something else.
std::string writeTensor(ops::Dtype storage, int64_t rows, int64_t columns, int64_t lead, bool transposed) {
  const std::string path = "/tmp/millrace-weights-" + std::to_string(getpid()) + ".bin";
  std::vector<char> bytes(static_cast<size_t>(lead + rows * columns * dtypeBytes(storage)), 'x');
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++)
      writeElement(reinterpret_cast<std::byte*>(bytes.data()) + lead + (r * columns + c) * dtypeBytes(storage), storage,
                   transposed ? value(c, r) : value(r, c));
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<int64_t>(bytes.size()));
  return path;
}

// The layouts of cpu/kernels/linearFormat.h: [line of a panel, element of a line].
std::pair<int64_t, int64_t> placeOf(const KernelTable& kernels, ops::Dtype dtype, int64_t lane, int64_t k) {
  if (dtype != ops::Dtype::bfloat16) return {k / 2, k % 2 * 16 + lane};
  if (std::string(kernels.isa) == "avx512bf16") return {k / 4 * 2 + k % 2, 2 * lane + (k % 4 < 2 ? 1 : 0)};
  return {k / 2, 2 * lane + k % 2};
}

float packedElement(const KernelTable& kernels, const Weight& weight, int64_t n, int64_t k) {
  const int64_t lines = roundUp(weight.columns, weight.dtype == ops::Dtype::bfloat16 ? 32 : 2) / 2;
  const auto [line, element] = placeOf(kernels, weight.dtype, n % 16, k);
  const int64_t at = (n / 16 * lines + line) * 32 + element;
  return readElement(static_cast<const std::byte*>(weight.data) + at * dtypeBytes(weight.dtype), weight.dtype);
}

float rowElement(const Weight& weight, int64_t r, int64_t c) {
  return readElement(static_cast<const std::byte*>(weight.data) + (r * weight.columns + c) * dtypeBytes(weight.dtype), weight.dtype);
}

// 70 rows of 33 as two segments that stand the other way round in the file: rows 50.. first.
void linearsAndTables(ops::Dtype storage, ops::Dtype dtype, bool transposed, int64_t lead, WeightKind kind) {
  constexpr int32_t rows = 70, columns = 33;
  const int64_t tensorRows = transposed ? columns : rows, tensorColumns = transposed ? rows : columns;
  const std::string path = writeTensor(storage, tensorRows, tensorColumns, lead, transposed);
  const int64_t bytes = int64_t{rows} * columns * dtypeBytes(storage);
  const auto segment = [&](int32_t from, int32_t count) {
    return SegmentSpec{0, lead, bytes, storage, tensorRows, tensorColumns, from, count, transposed};
  };
  ThreadPool pool(2);
  const std::vector<WeightSpec> specs = {{"w", kind, dtype, rows, columns, {segment(50, 20), segment(0, 50)}, {}},
                                         {"whole", WeightKind::table, dtype, rows, columns, {segment(0, rows)}, {}}};
  for (const char* isa : {"portable", static_cast<const char*>(nullptr)}) {
    const KernelTable& kernels = selectKernels(isa);
    const WeightTable table(specs, {path}, kernels, pool);
    bool equal = true;
    for (int64_t r = 0; r < rows; r++)
      for (int64_t c = 0; c < columns; c++) {
        const Weight& first = table.data()[0];
        const float got = kind == WeightKind::linear ? packedElement(kernels, first, r, c) : rowElement(first, r, c);
        equal = equal && got == value(r < 20 ? r + 50 : r - 20, c) && rowElement(table.data()[1], r, c) == value(r, c);
      }
    if (kind == WeightKind::linear)
      for (int64_t r = 0; r < 80; r++) equal = equal && packedElement(kernels, table.data()[0], r, 33) == 0 && (r < 70 || packedElement(kernels, table.data()[0], r, 5) == 0);
    expect(equal, "weights arrive: storage " + std::to_string(static_cast<int>(storage)) + ", dtype " +
                      std::to_string(static_cast<int>(dtype)) + (transposed ? ", transposed" : "") + ", at " + std::to_string(lead));
  }
  unlink(path.c_str());
}

void vectors() {
  const std::string path = writeTensor(ops::Dtype::bfloat16, 9, 1, 4, false);
  ThreadPool pool(1);
  const std::vector<WeightSpec> specs = {
      {"v", WeightKind::vector, ops::Dtype::bfloat16, 1, 12, {{0, 4, 18, ops::Dtype::bfloat16, 9, 1, 0, 9, false}, {0, 4, 18, ops::Dtype::bfloat16, 9, 1, 2, 3, false}}, {}},
      {"c", WeightKind::vector, ops::Dtype::float16, 1, 2, {}, {0.1f, 1e-30f}}};
  const WeightTable table(specs, {path}, selectKernels(nullptr), pool);
  const auto* v = static_cast<const float*>(table.data()[0].data);
  expect(v[0] == value(0, 0) && v[8] == value(8, 0) && v[9] == value(2, 0) && v[11] == value(4, 0), "vectors are expanded to float32");
  expect(static_cast<const float*>(table.data()[1].data)[0] == 0.1f, "a constant vector keeps float32");
  unlink(path.c_str());
}

void refusals() {
  const std::string path = writeTensor(ops::Dtype::float32, 4, 4, 0, false);
  ThreadPool pool(1);
  const SegmentSpec sound{0, 0, 64, ops::Dtype::float32, 4, 4, 0, 4, false};
  const auto refuses = [&](const char* part, SegmentSpec segment, const std::vector<std::string>& files) {
    expectThrow<CheckpointError>(
        [&] { WeightTable({{"w", WeightKind::linear, ops::Dtype::float32, 4, 4, {segment}, {}}}, files, selectKernels(nullptr), pool); },
        part, part);
  };
  const auto with = [&](auto&& change) {
    SegmentSpec segment = sound;
    change(segment);
    return segment;
  };
  refuses("which has 64", with([](SegmentSpec& s) { s.offset = 4; }), {path});
  refuses("which has 64", with([](SegmentSpec& s) { s.offset = INT64_MAX - 3; }), {path});
  refuses("which has 64", with([](SegmentSpec& s) { s.offset = -4; }), {path});
  refuses("do not fit its shape", with([](SegmentSpec& s) { s.bytes = 60; }), {path});
  refuses("leaves its tensor's rows", with([](SegmentSpec& s) { s.rowStart = 1; }), {path});
  refuses("another width", with([](SegmentSpec& s) { s.tensorRows = 8, s.tensorColumns = 2; }), {path});
  refuses("do not add up", with([](SegmentSpec& s) { s.rows = 3; }), {path});
  refuses("names no file", with([](SegmentSpec& s) { s.file = 1; }), {path});
  refuses("cannot be opened", sound, {path + ".missing"});
  refuses("no regular file", sound, {"/tmp"});
  unlink(path.c_str());
}

void conversions() {
  bool round = true;
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const auto half = static_cast<uint16_t>(bits);
    const float wide = fromFloat16(half);
    round = round && (wide != wide ? (toFloat16(wide) & 0x7c00) == 0x7c00 : toFloat16(wide) == half);
    const float brain = fromBfloat16(half);
    round = round && (brain != brain ? fromBfloat16(toBfloat16(brain)) != fromBfloat16(toBfloat16(brain)) : toBfloat16(brain) == half);
  }
  expect(round, "every 16-bit value survives the way to float32 and back");
  expect(toFloat16(65519.f) == 0x7bff && toFloat16(65520.f) == 0x7c00, "float16 overflows at its edge");
  expect(toFloat16(2.9802322e-8f) == 0 && toFloat16(2.9802326e-8f) == 1, "half of the least denormal is a tie to even");
  expect(toFloat16(1.f + 1.f / 2048) == 0x3c00 && toFloat16(1.f + 3.f / 2048) == 0x3c02, "ties go to even");
}

}  // namespace

int main() {
  for (ops::Dtype storage : allDtypes)
    for (ops::Dtype dtype : allDtypes)
      for (bool transposed : {false, true})
        for (int64_t lead : {int64_t{0}, int64_t{5}, int64_t{4096}}) {
          linearsAndTables(storage, dtype, transposed, lead, WeightKind::linear);
          linearsAndTables(storage, dtype, transposed, lead, WeightKind::table);
        }
  vectors();
  refusals();
  conversions();
  return broken > 0;
}
