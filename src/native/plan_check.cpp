#include "plan_check.h"

#include <algorithm>

namespace millrace {
namespace {

constexpr int32_t mostHeads = 1 << 16;

// Heads of equal width; their number.
int32_t perHead(const PlanCheck& check, int32_t columns, int32_t heads) {
  check.need(heads > 0 && heads <= mostHeads && columns % heads == 0, "has columns that are no multiple of its heads");
  return columns / heads;
}

void sameColumns(const PlanCheck& check, std::initializer_list<int32_t> columns) {
  for (int32_t each : columns) check.need(each == *columns.begin(), "has operands of different widths");
}

void checkRope(const PlanCheck& check, int32_t dim, int32_t rotated, int32_t interleaved) {
  check.need(rotated % 2 == 0 && rotated <= dim, "rotates more columns than a head has, or an odd number");
  check.need(interleaved == 0 || interleaved == 1, "has an `interleaved` other than 0 or 1");
}

}  // namespace

int32_t PlanCheck::act(const char* name, const ops::Operand& operand, bool outputs) const {
  need(operand.kind == 1, std::string(name) + " must be an activation");
  need(operand.index >= 0 && static_cast<size_t>(operand.index) < spec.slots.size(), std::string(name) + " names no slot");
  const SlotSpec& slot = spec.slots[static_cast<size_t>(operand.index)];
  need(operand.column >= 0 && operand.columns > 0 && operand.column <= slot.width &&
           operand.columns <= slot.width - operand.column,
       std::string(name) + " leaves its slot");
  need(slot.outputs == outputs, std::string(name) + (outputs ? " must have output rows" : " must have token rows"));
  return operand.columns;
}

const WeightSpec& PlanCheck::weight(const char* name, const ops::Operand& operand, WeightKind kind) const {
  need(operand.kind == 2, std::string(name) + " must be a weight");
  need(operand.index >= 0 && static_cast<size_t>(operand.index) < spec.weights.size(), std::string(name) + " names no weight");
  const WeightSpec& weight = spec.weights[static_cast<size_t>(operand.index)];
  need(weight.kind == kind, std::string(name) + " is a weight of another kind");
  return weight;
}

int32_t PlanCheck::vector(const char* name, const ops::Operand& operand, int32_t columns, bool optional) const {
  if (optional && operand.kind == 0) return columns;
  const WeightSpec& found = weight(name, operand, WeightKind::vector);
  need(columns == 0 || found.columns == columns, std::string(name) + " has the wrong length");
  return found.columns;
}

const GroupSpec& PlanCheck::cache(int32_t group, int32_t layer, int32_t kvHeads, ops::Dtype dtype) const {
  need(group >= 0 && static_cast<size_t>(group) < spec.groups.size(), "names no cache group");
  const GroupSpec& found = spec.groups[static_cast<size_t>(group)];
  need(layer >= 0 && layer < found.layers, "names no layer of its cache group");
  need(kvHeads == found.kvHeads && dtype == found.dtype, "does not fit its cache group");
  return found;
}

void checkInstruction(const ops::Embed& op, PlanCheck& check) {
  check.body();
  const WeightSpec& table = check.weight("table", op.table, WeightKind::table);
  sameColumns(check, {check.act("y", op.y), table.columns});
  check.need(op.source >= 0 && op.source <= 2, "has an unknown source");
  check.need(op.offset >= 0 && op.offset < table.rows, "has an offset outside its table");
  int32_t& limit = op.source == 0   ? check.program.tokenLimit
                   : op.source == 1 ? check.program.positionLimit
                                    : check.program.typeLimit;
  limit = std::min(limit, table.rows - op.offset);
}

void checkInstruction(const ops::Linear& op, PlanCheck& check) {
  const WeightSpec& weight = check.weight("weight", op.weight, WeightKind::linear);
  sameColumns(check, {check.act("x", op.x), weight.columns});
  sameColumns(check, {check.act("y", op.y), weight.rows});
  check.vector("bias", op.bias, weight.rows, true);
  check.need(op.dtype == weight.dtype, "has another dtype than its weight");
}

void checkInstruction(const ops::RmsNorm& op, PlanCheck& check) {
  sameColumns(check, {check.act("y", op.y), check.act("x", op.x)});
  check.vector("weight", op.weight, perHead(check, op.x.columns, op.groups));
}

void checkInstruction(const ops::LayerNorm& op, PlanCheck& check) {
  sameColumns(check, {check.act("y", op.y), check.act("x", op.x), check.vector("weight", op.weight, 0)});
  check.vector("bias", op.bias, op.x.columns, true);
}

void checkInstruction(const ops::AddRmsNorm& op, PlanCheck& check) {
  sameColumns(check, {check.act("sum", op.sum), check.act("y", op.y), check.act("x", op.x),
                      check.act("residual", op.residual), check.vector("weight", op.weight, 0)});
}

void checkInstruction(const ops::AddLayerNorm& op, PlanCheck& check) {
  sameColumns(check, {check.act("sum", op.sum), check.act("y", op.y), check.act("x", op.x),
                      check.act("residual", op.residual), check.vector("weight", op.weight, 0)});
  check.vector("bias", op.bias, op.x.columns, true);
}

void checkInstruction(const ops::Rotary& op, PlanCheck& check) {
  check.body();
  check.need(check.act("table", op.table) == 2 * check.vector("frequency", op.frequency, 0),
             "needs a table of twice as many columns as frequencies");
}

void checkInstruction(const ops::Rope& op, PlanCheck& check) {
  check.body();
  sameColumns(check, {check.act("y", op.y), check.act("x", op.x)});
  checkRope(check, perHead(check, op.x.columns, op.heads), check.act("table", op.table), op.interleaved);
}

void checkInstruction(const ops::KvWrite& op, PlanCheck& check) {
  check.body();
  const GroupSpec& group = check.cache(op.group, op.layer, op.kvHeads, op.dtype);
  check.need(perHead(check, check.act("k", op.k), op.kvHeads) == group.keyDim, "has keys of another width than its cache");
  check.need(perHead(check, check.act("v", op.v), op.kvHeads) == group.valueDim, "has values of another width than its cache");
}

void checkInstruction(const ops::RopeKvWrite& op, PlanCheck& check) {
  checkInstruction(ops::KvWrite{op.k, op.v, op.kvHeads, op.group, op.layer, op.dtype}, check);
  sameColumns(check, {check.act("y", op.y), check.act("q", op.q)});
  check.need(perHead(check, op.q.columns, op.heads) == op.k.columns / op.kvHeads, "has queries and keys of different widths");
  checkRope(check, op.q.columns / op.heads, check.act("table", op.table), op.interleaved);
}

void checkInstruction(const ops::Attention& op, PlanCheck& check) {
  check.body();
  const GroupSpec& group = check.cache(op.group, op.layer, op.kvHeads, op.dtype);
  check.need(op.headDim == group.keyDim && op.valueDim == group.valueDim, "has heads of another width than its cache");
  check.need(perHead(check, check.act("q", op.q), op.heads) == op.headDim, "has queries that are not heads * headDim wide");
  check.need(perHead(check, check.act("y", op.y), op.heads) == op.valueDim, "has an output that is not heads * valueDim wide");
  check.need(op.heads % op.kvHeads == 0, "has heads that do not divide among its KV heads");
  check.need(op.window >= 0, "has a negative window");
}

void checkInstruction(const ops::Activation& op, PlanCheck& check) {
  sameColumns(check, {check.act("y", op.y), check.act("x", op.x)});
  check.need(op.kind >= 0 && op.kind <= static_cast<int32_t>(ops::ActivationKind::sigmoid), "has an unknown kind");
}

void checkInstruction(const ops::GatedActivation& op, PlanCheck& check) {
  sameColumns(check, {check.act("y", op.y), check.act("gate", op.gate), check.act("up", op.up)});
  check.need(op.kind >= 0 && op.kind <= static_cast<int32_t>(ops::ActivationKind::sigmoid), "has an unknown kind");
}

void checkInstruction(const ops::Add& op, PlanCheck& check) {
  sameColumns(check, {check.act("y", op.y), check.act("a", op.a), check.act("b", op.b)});
}

void checkInstruction(const ops::GatherRows& op, PlanCheck& check) {
  check.need(check.head, "may stand in the head only");
  sameColumns(check, {check.act("y", op.y, true), check.act("x", op.x, false)});
}

void checkInstruction(const ops::EncoderAttention& op, PlanCheck& check) {
  check.body();
  check.program.whole = true;
  constexpr int32_t widestHead = 1024;  // kernels keep a head on their stack
  check.need(op.headDim > 0 && op.headDim <= widestHead && op.valueDim > 0 && op.valueDim <= widestHead, "has heads of no sensible width");
  check.need(perHead(check, check.act("q", op.q), op.heads) == op.headDim, "has queries that are not heads * headDim wide");
  check.need(perHead(check, check.act("k", op.k), op.kvHeads) == op.headDim, "has keys that are not kvHeads * headDim wide");
  check.need(perHead(check, check.act("v", op.v), op.kvHeads) == op.valueDim, "has values that are not kvHeads * valueDim wide");
  check.need(perHead(check, check.act("y", op.y), op.heads) == op.valueDim, "has an output that is not heads * valueDim wide");
  check.need(op.heads % op.kvHeads == 0, "has heads that do not divide among its KV heads");
  check.need(op.reach >= 0, "has a negative reach");
  check.need(op.dtype >= ops::Dtype::float32 && op.dtype <= ops::Dtype::float16, "has an unknown dtype");
}

void checkInstruction(const ops::RunningMean& op, PlanCheck& check) {
  check.body();
  sameColumns(check, {check.act("y", op.y), check.act("x", op.x)});
  check.need(check.spec.carryWidth == 0 || check.spec.carryWidth == op.x.columns, "has rows of another width than its kept sums");
}

}  // namespace millrace
