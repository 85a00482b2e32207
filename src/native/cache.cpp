#include "cache.h"

#include <cstring>

namespace millrace {

KvCache::KvCache(const std::vector<GroupSpec>& groups, const Capacity& capacity) {
  const int64_t blocks = int64_t{capacity.blocks} + 1;
  int64_t total = 0;
  const auto cells = [&](const GroupSpec& group, int32_t dim) {
    return roundUp(blocks * group.kvHeads * kvCellBytes(dim, capacity.blockSize, group.dtype), 4096);
  };
  for (const GroupSpec& group : groups) total += group.layers * (cells(group, group.keyDim) + cells(group, group.valueDim));
  memory_ = Memory(static_cast<size_t>(total), false);
  std::byte* at = memory_.data();
  for (const GroupSpec& group : groups) {
    auto& layers = layers_.emplace_back();
    for (int32_t layer = 0; layer < group.layers; layer++) {
      std::byte* values = at + cells(group, group.keyDim);
      layers.push_back({at, values, group.kvHeads, group.keyDim, group.valueDim, capacity.blockSize,
                        static_cast<int32_t>(blocks), group.dtype});
      at = values + cells(group, group.valueDim);
    }
  }
  for (const auto& layers : layers_) pointers_.push_back(layers.data());
}

void KvCache::copy(const std::vector<int32_t>& pairs, Parallel& pool) const {
  if (pairs.empty()) return;
  std::vector<const KvLayer*> all;
  for (const auto& layers : layers_)
    for (const KvLayer& layer : layers) all.push_back(&layer);
  // A tile is a layer: its pairs run in order, for a later pair may read what an earlier one wrote.
  auto tile = [&](int index) {
    const KvLayer& layer = *all[static_cast<size_t>(index)];
    const int64_t keyBytes = layer.kvHeads * kvCellBytes(layer.keyDim, layer.blockSize, layer.dtype);
    const int64_t valueBytes = layer.kvHeads * kvCellBytes(layer.valueDim, layer.blockSize, layer.dtype);
    for (size_t i = 0; i < pairs.size(); i += 2) {
      if (pairs[i] == pairs[i + 1]) continue;
      std::memcpy(layer.keyCell(pairs[i + 1], 0), layer.keyCell(pairs[i], 0), static_cast<size_t>(keyBytes));
      std::memcpy(layer.valueCell(pairs[i + 1], 0), layer.valueCell(pairs[i], 0), static_cast<size_t>(valueBytes));
    }
  };
  pool.run(
      static_cast<int>(all.size()), [](void* state, int index, int) { (*static_cast<decltype(tile)*>(state))(index); }, &tile);
}

}  // namespace millrace
