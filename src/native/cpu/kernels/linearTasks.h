// How a linear is divided among tasks: blocks of rows by runs of panels, all as even as can be. Of each instruction family its own, since
// the linker keeps one copy of what they share, and its instructions may not run everywhere.
#pragma once
#include <algorithm>
#include <cstdint>

#include "../../context.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

struct Range {
  int begin, end;
  int count() const { return end - begin; }
};

// Rows go in blocks of up to `most`, which begin at whole `unit`s.
struct RowBlocks {
  int rows, most, unit;
};

class LinearTasks {
 public:
  // Of a weight's panels of sixteen outputs a tile spans `group`.
  LinearTasks(RowBlocks rows, const Weight& weight, int group)
      : rows_(rows), panels_((weight.rows + 15) / 16), group_(group), groups_((panels_ + group - 1) / group), blocks_((rows.rows + rows.most - 1) / rows.most) {
    // Tasks are short, so that the threads end together: those of one thread follow each other in memory, and claiming costs little.
    const int64_t bytes = packedLinearBytes(weight.rows, weight.columns, weight.dtype);
    const int64_t taskBytes = std::clamp<int64_t>(bytes / 64, 65536, 524288);
    runs_ = static_cast<int>(std::clamp<int64_t>(bytes / taskBytes, 1, groups_));
  }
  int count() const { return blocks_ * runs_; }
  Range rows(int task) const {
    const Range units = part((rows_.rows + rows_.unit - 1) / rows_.unit, task / runs_, blocks_);
    return {units.begin * rows_.unit, std::min(units.end * rows_.unit, rows_.rows)};
  }
  Range panels(int task) const {
    const Range groups = part(groups_, task % runs_, runs_);
    return {groups.begin * group_, std::min(groups.end * group_, panels_)};
  }

 private:
  // Part i of n of `total`.
  static Range part(int total, int i, int n) {
    return {static_cast<int>(int64_t{total} * i / n), static_cast<int>(int64_t{total} * (i + 1) / n)};
  }

  RowBlocks rows_;
  int panels_, group_, groups_, blocks_, runs_;
};

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
