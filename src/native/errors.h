// What can go wrong while loading, by who must mend it. The message is a sentence for a person.
#pragma once
#include <stdexcept>

namespace millrace {

struct CheckpointError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct MemoryError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The plan's words or tables are not what ops.h allows: a fault of the compiler, or hostile.
struct PlanError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// A step that names what the model does not have.
struct StepError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace millrace
