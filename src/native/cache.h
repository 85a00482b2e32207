// The paged KV cache: for every layer of every group, K cells and V cells of blocks 0..blocks. Pages come on first touch.
#pragma once
#include <vector>

#include "context.h"
#include "memory.h"
#include "plan.h"

namespace millrace {

class KvCache {
 public:
  KvCache(const std::vector<GroupSpec>& groups, const Capacity& capacity);
  const KvLayer* const* groups() const { return pointers_.data(); }
  const KvLayer& layer(int32_t group, int32_t layer) const { return layers_[static_cast<size_t>(group)][static_cast<size_t>(layer)]; }
  // Pairs (from, to) of blocks, in order, in every group and layer.
  void copy(const std::vector<int32_t>& pairs, Parallel& pool) const;
  int64_t bytes() const { return static_cast<int64_t>(memory_.bytes()); }

 private:
  Memory memory_;
  std::vector<std::vector<KvLayer>> layers_;
  std::vector<const KvLayer*> pointers_;
};

}  // namespace millrace
