// What each op demands of its operands: kinds, indices, columns, and that the named dims of ops.h agree.
#pragma once
#include <string>

#include "errors.h"
#include "plan.h"

namespace millrace {

struct PlanCheck {
  const PlanSpec& spec;
  Program& program;
  int32_t index;
  bool head;

  [[noreturn]] void fail(const std::string& what) const {
    throw PlanError("plan: instruction " + std::to_string(index) + " " + what);
  }
  void need(bool good, const std::string& what) const {
    if (!good) fail(what);
  }
  // Columns of an activation operand that lives in output rows or token rows.
  int32_t act(const char* name, const ops::Operand& operand, bool outputs) const;
  int32_t act(const char* name, const ops::Operand& operand) const { return act(name, operand, head); }
  const WeightSpec& weight(const char* name, const ops::Operand& operand, WeightKind kind) const;
  // A vector of `columns`, or of any length when `columns` is 0.
  int32_t vector(const char* name, const ops::Operand& operand, int32_t columns, bool optional = false) const;
  const GroupSpec& cache(int32_t group, int32_t layer, int32_t kvHeads, ops::Dtype dtype) const;
  void body() const { need(!head, "may not stand in the head, which runs over output rows"); }
};

void checkInstruction(const ops::Embed& op, PlanCheck& check);
void checkInstruction(const ops::Linear& op, PlanCheck& check);
void checkInstruction(const ops::RmsNorm& op, PlanCheck& check);
void checkInstruction(const ops::LayerNorm& op, PlanCheck& check);
void checkInstruction(const ops::AddRmsNorm& op, PlanCheck& check);
void checkInstruction(const ops::AddLayerNorm& op, PlanCheck& check);
void checkInstruction(const ops::Rotary& op, PlanCheck& check);
void checkInstruction(const ops::Rope& op, PlanCheck& check);
void checkInstruction(const ops::KvWrite& op, PlanCheck& check);
void checkInstruction(const ops::RopeKvWrite& op, PlanCheck& check);
void checkInstruction(const ops::Attention& op, PlanCheck& check);
void checkInstruction(const ops::Activation& op, PlanCheck& check);
void checkInstruction(const ops::GatedActivation& op, PlanCheck& check);
void checkInstruction(const ops::Add& op, PlanCheck& check);
void checkInstruction(const ops::GatherRows& op, PlanCheck& check);
void checkInstruction(const ops::EncoderAttention& op, PlanCheck& check);
void checkInstruction(const ops::RunningMean& op, PlanCheck& check);

}  // namespace millrace
