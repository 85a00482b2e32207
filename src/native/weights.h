// The weight table: linears packed, tables in place where the file already holds them so, vectors as float32.
#pragma once
#include <string>
#include <vector>

#include "context.h"
#include "memory.h"
#include "plan.h"

namespace millrace {

class WeightTable {
 public:
  // Maps the files, converts and packs on `pool`, and drops every mapping that no table needs afterwards.
  // Throws CheckpointError or MemoryError.
  WeightTable(const std::vector<WeightSpec>& specs, const std::vector<std::string>& files, const KernelTable& kernels,
              Parallel& pool);
  const Weight* data() const { return weights_.data(); }
  // Owned bytes, and bytes of the files that are used in place.
  int64_t bytes() const { return static_cast<int64_t>(memory_.bytes()) + inPlace_; }

 private:
  bool usesFile(const WeightSpec& spec) const;
  void layOut(const std::vector<WeightSpec>& specs);
  void fill(const WeightSpec& spec, const Weight& weight, const KernelTable& kernels, Parallel& pool);

  std::vector<MappedFile> files_;
  Memory memory_;
  std::vector<Weight> weights_;
  int64_t inPlace_ = 0;
};

}  // namespace millrace
