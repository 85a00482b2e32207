#include "weights.h"

#include <algorithm>
#include <cstring>

#include "convert.h"
#include "errors.h"

namespace millrace {
namespace {

// Where a segment's element (0, 0) lies, and the steps to the next row and column, in elements.
struct Source {
  const std::byte* data;
  ops::Dtype dtype;
  int64_t rowStride, columnStride;
  int64_t rows, columns;
};

int64_t elementBytes(const Weight& weight) {
  return weight.kind == WeightKind::linear ? packedLinearBytes(weight.rows, weight.columns, weight.dtype)
                                           : int64_t{weight.rows} * weight.columns * dtypeBytes(weight.dtype);
}

// A linear begins with a page: how far ahead its tiles fetch was found so.
int64_t alignment(WeightKind kind) { return kind == WeightKind::linear ? 4096 : 64; }

Source sourceOf(const WeightSpec& spec, const SegmentSpec& segment, const std::vector<MappedFile>& files) {
  const auto bad = [&](const std::string& what) { throw CheckpointError("weight " + spec.name + ": " + what); };
  if (segment.file < 0 || static_cast<size_t>(segment.file) >= files.size()) bad("names no file");
  if (segment.tensorRows <= 0 || segment.tensorColumns <= 0 || segment.tensorRows > 1 << 28 || segment.tensorColumns > 1 << 28)
    bad("its tensor has no sensible shape");
  if (segment.bytes != segment.tensorRows * segment.tensorColumns * dtypeBytes(segment.storage))
    bad("its tensor's bytes do not fit its shape");
  const int64_t rows = segment.transposed ? segment.tensorColumns : segment.tensorRows;
  const int64_t columns = segment.transposed ? segment.tensorRows : segment.tensorColumns;
  if (segment.rowStart < 0 || segment.rows <= 0 || segment.rowStart > rows || segment.rows > rows - segment.rowStart)
    bad("a segment leaves its tensor's rows");
  if (columns != (spec.kind == WeightKind::vector ? 1 : spec.columns)) bad("its tensor has another width than the plan");
  const int64_t rowStride = segment.transposed ? 1 : segment.tensorColumns;
  const int64_t columnStride = segment.transposed ? segment.tensorColumns : 1;
  const std::byte* data = files[static_cast<size_t>(segment.file)].range(segment.offset, segment.bytes, spec.name);
  return {data + segment.rowStart * rowStride * dtypeBytes(segment.storage), segment.storage, rowStride, columnStride,
          segment.rows, columns};
}

bool aligned(const Source& source) { return reinterpret_cast<uintptr_t>(source.data) % dtypeBytes(source.dtype) == 0; }

// Packs rows in tiles that end on panel borders of the destination, so that panels are seldom shared.
void packLinear(const Source& source, int64_t firstRow, const Weight& weight, const KernelTable& kernels, Parallel& pool) {
  constexpr int64_t tileRows = 64;
  const int64_t firstTile = firstRow / tileRows, lastTile = (firstRow + source.rows - 1) / tileRows;
  auto tile = [&](int index) {
    const int64_t begin = std::max(firstRow, (firstTile + index) * tileRows);
    const int64_t end = std::min(firstRow + source.rows, (firstTile + index + 1) * tileRows);
    const PackSource part{source.data + (begin - firstRow) * source.rowStride * dtypeBytes(source.dtype),
                          source.dtype,
                          source.rowStride,
                          source.columnStride,
                          static_cast<int32_t>(end - begin),
                          static_cast<int32_t>(source.columns)};
    kernels.pack(part, static_cast<int32_t>(begin), weight.dtype, const_cast<void*>(weight.data));
  };
  pool.run(
      static_cast<int>(lastTile - firstTile + 1),
      [](void* state, int index, int) { (*static_cast<decltype(tile)*>(state))(index); }, &tile);
}

// Row-major, element by element through float32; equal dtypes keep their bits.
void convertRows(const Source& source, int64_t firstRow, const Weight& weight, Parallel& pool) {
  auto* out = static_cast<std::byte*>(const_cast<void*>(weight.data));
  const int64_t inBytes = dtypeBytes(source.dtype), outBytes = dtypeBytes(weight.dtype);
  constexpr int64_t tileRows = 256;
  auto tile = [&](int index) {
    const int64_t end = std::min(source.rows, (index + 1) * tileRows);
    for (int64_t row = index * tileRows; row < end; row++) {
      std::byte* to = out + (firstRow + row) * source.columns * outBytes;
      const std::byte* from = source.data + row * source.rowStride * inBytes;
      if (source.dtype == weight.dtype && source.columnStride == 1)
        std::memcpy(to, from, static_cast<size_t>(source.columns * outBytes));
      else
        for (int64_t k = 0; k < source.columns; k++)
          writeElement(to + k * outBytes, weight.dtype, readElement(from + k * source.columnStride * inBytes, source.dtype));
    }
  };
  pool.run(
      static_cast<int>((source.rows + tileRows - 1) / tileRows),
      [](void* state, int index, int) { (*static_cast<decltype(tile)*>(state))(index); }, &tile);
}

void place(const Source& source, int64_t firstRow, const Weight& weight, const KernelTable& kernels, Parallel& pool) {
  if (weight.kind != WeightKind::linear) return convertRows(source, firstRow, weight, pool);
  if (aligned(source)) return packLinear(source, firstRow, weight, kernels, pool);
  // A file may hold elements at odd addresses; kernels are not asked to read those.
  const int64_t last = (source.rows - 1) * source.rowStride + (source.columns - 1) * source.columnStride;
  std::vector<float> copy(static_cast<size_t>((last + 1) * dtypeBytes(source.dtype) + 3) / 4);
  std::memcpy(copy.data(), source.data, static_cast<size_t>((last + 1) * dtypeBytes(source.dtype)));
  Source even = source;
  even.data = reinterpret_cast<const std::byte*>(copy.data());
  packLinear(even, firstRow, weight, kernels, pool);
}

}  // namespace

bool WeightTable::usesFile(const WeightSpec& spec) const {
  if (spec.kind != WeightKind::table || spec.segments.size() != 1) return false;
  const SegmentSpec& segment = spec.segments[0];
  if (segment.transposed || segment.storage != spec.dtype || segment.rows != spec.rows) return false;
  return aligned(sourceOf(spec, segment, files_));
}

// Gives every weight its place; those that are not used in place get one region together, on huge pages where there are any.
void WeightTable::layOut(const std::vector<WeightSpec>& specs) {
  std::vector<int64_t> offsets;
  int64_t total = 0;
  for (const WeightSpec& spec : specs) {
    const auto dtype = spec.kind == WeightKind::vector ? ops::Dtype::float32 : spec.dtype;
    const int32_t rows = spec.kind == WeightKind::vector ? 1 : spec.rows;
    Weight weight{spec.kind, dtype, rows, spec.columns, nullptr};
    if (usesFile(spec)) {
      weight.data = sourceOf(spec, spec.segments[0], files_).data;
      inPlace_ += elementBytes(weight);
    }
    total = roundUp(total, alignment(spec.kind));
    offsets.push_back(total);
    if (!weight.data) total += elementBytes(weight);
    weights_.push_back(weight);
  }
  memory_ = Memory(static_cast<size_t>(total), true);
  for (size_t i = 0; i < weights_.size(); i++)
    if (!weights_[i].data) weights_[i].data = memory_.data() + offsets[i];
}

void WeightTable::fill(const WeightSpec& spec, const Weight& weight, const KernelTable& kernels, Parallel& pool) {
  const int64_t wanted = spec.kind == WeightKind::vector ? spec.columns : spec.rows;
  // A vector's elements are its rows, one wide.
  const int64_t width = spec.kind == WeightKind::vector ? 1 : spec.columns;
  if (spec.segments.empty()) {
    if (static_cast<int64_t>(spec.constant.size()) != wanted * width)
      throw PlanError("plan: constant " + spec.name + " has the wrong number of values");
    const auto* data = reinterpret_cast<const std::byte*>(spec.constant.data());
    return place({data, ops::Dtype::float32, width, 1, wanted, width}, 0, weight, kernels, pool);
  }
  int64_t total = 0;
  for (const SegmentSpec& segment : spec.segments) total += segment.rows;
  if (total != wanted) throw CheckpointError("weight " + spec.name + ": its segments do not add up to its rows");
  int64_t row = 0;
  for (const SegmentSpec& segment : spec.segments) {
    const Source source = sourceOf(spec, segment, files_);
    const MappedFile& file = files_[static_cast<size_t>(segment.file)];
    // In parts, whose pages are given back at once: else a great tensor would for a while be resident twice.
    const int64_t rowBytes = source.columns * dtypeBytes(source.dtype);
    const int64_t partRows = segment.transposed ? source.rows : roundUp(std::max<int64_t>(1, (16 << 20) / rowBytes), 64);
    for (int64_t from = 0; from < source.rows; from += partRows) {
      Source part = source;
      part.data += from * source.rowStride * dtypeBytes(source.dtype);
      part.rows = std::min(partRows, source.rows - from);
      place(part, row + from, weight, kernels, pool);
      if (!segment.transposed) file.forget(segment.offset + (segment.rowStart + from) * rowBytes, part.rows * rowBytes);
    }
    if (segment.transposed) file.forget(segment.offset, segment.bytes);
    row += segment.rows;
  }
}

WeightTable::WeightTable(const std::vector<WeightSpec>& specs, const std::vector<std::string>& files, const KernelTable& kernels,
                         Parallel& pool) {
  for (const std::string& file : files) files_.emplace_back(file);
  layOut(specs);
  for (size_t i = 0; i < specs.size(); i++) {
    const auto* at = static_cast<const std::byte*>(weights_[i].data);
    const bool owned = at >= memory_.data() && at < memory_.data() + memory_.bytes();
    if (owned) fill(specs[i], weights_[i], kernels, pool);
  }
  if (inPlace_ == 0) files_.clear();
}

}  // namespace millrace
