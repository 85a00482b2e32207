// GENERATED from src/domain/ops by `npm run generate:ops`. Do not edit.
#pragma once
#include <cstdint>

namespace millrace::ops {

enum class Dtype : int32_t { float32, bfloat16, float16 };
enum class ActivationKind : int32_t { relu, silu, gelu, geluTanh, tanh, sigmoid };
enum class Op : int32_t { embed, linear, rmsNorm, layerNorm, addRmsNorm, addLayerNorm, rotary, rope, kvWrite, ropeKvWrite, attention, activation, gatedActivation, add, gatherRows, encoderAttention, runningMean };
constexpr int32_t opCount = 17;
// Changes with any op's operands or attributes: both sides of the CUDA module's boundary compare it.
constexpr uint32_t tableHash = 0x33ac5361u;

// kind 0: absent. kind 1: columns [column, column + columns) of arena slot `index`. kind 2: entry `index` of the weight table.
struct Operand {
  int32_t kind, index, column, columns;
};

// An instruction is [op, words of the struct] and then the struct's words, all 32 bits wide.

// y[t,h] = table[i[t] + offset, h] * scale, where i is the token ids (source 0), the positions (source 1) or the token types (source 2).
struct Embed {
  static constexpr Op op = Op::embed;
  Operand y;  // act[T,H]
  Operand table;  // table[V,H]
  int32_t source;
  int32_t offset;
  float scale;
};

// y[t,n] = sum_k x[t,k] * weight[n,k] + bias[n]. In float32, denormals flushed, bias added last. A float32 or (widened) float16 weight: sequential over pairs of K, odd element first, acc = fma(x0, w0, fma(x1, w1, acc)). A bfloat16 weight rounds x to bfloat16, and K goes in blocks of 32: in each the even elements are one chain of fma from 0 and the odd ones another, and acc += even + odd.
struct Linear {
  static constexpr Op op = Op::linear;
  Operand y;  // act[T,N]
  Operand x;  // act[T,K]
  Operand weight;  // weight[N,K]
  Operand bias;  // f32[N]?
  Dtype dtype;
};

// y[t,g,h] = x[t,g,h] / sqrt(mean_h(x[t,g,:]^2) + eps) * weight[h]: Zhang & Sennrich 2019. G groups of H columns a row are normalised each by itself (q and k norms per head).
struct RmsNorm {
  static constexpr Op op = Op::rmsNorm;
  Operand y;  // act[T,G*H]
  Operand x;  // act[T,G*H]
  Operand weight;  // f32[H]
  int32_t groups;
  float eps;
};

// y[t,h] = (x[t,h] - mean) / sqrt(variance + eps) * weight[h] + bias[h]: Ba, Kiros & Hinton 2016. Two passes: the mean first.
struct LayerNorm {
  static constexpr Op op = Op::layerNorm;
  Operand y;  // act[T,H]
  Operand x;  // act[T,H]
  Operand weight;  // f32[H]
  Operand bias;  // f32[H]?
  float eps;
};

// sum = x + residual; y = rmsNorm(sum). sum may be the residual's own buffer.
struct AddRmsNorm {
  static constexpr Op op = Op::addRmsNorm;
  Operand sum;  // act[T,H]
  Operand y;  // act[T,H]
  Operand x;  // act[T,H]
  Operand residual;  // act[T,H]
  Operand weight;  // f32[H]
  float eps;
};

// sum = x + residual; y = layerNorm(sum). sum may be the residual's own buffer.
struct AddLayerNorm {
  static constexpr Op op = Op::addLayerNorm;
  Operand sum;  // act[T,H]
  Operand y;  // act[T,H]
  Operand x;  // act[T,H]
  Operand residual;  // act[T,H]
  Operand weight;  // f32[H]
  Operand bias;  // f32[H]?
  float eps;
};

// table[t, i] = scale * cos(positions[t] * frequency[i]), table[t, R/2 + i] = scale * sin(the same). The angle is the float32 product; one table serves every layer of a step.
struct Rotary {
  static constexpr Op op = Op::rotary;
  Operand table;  // act[T,R]
  Operand frequency;  // f32[F]
  float scale;
};

// Rotary position embedding of `heads` heads of D columns by the rotary table: pairs (i, i + R/2), or (2i, 2i + 1) when interleaved; columns past R pass. Su et al. 2021.
struct Rope {
  static constexpr Op op = Op::rope;
  Operand y;  // act[T,G*D]
  Operand x;  // act[T,G*D]
  Operand table;  // act[T,R]
  int32_t heads;
  int32_t interleaved;
};

// K and V of each token are rounded to the cache's dtype and written at the step's slots. The first write to a block clears the block's other V rows, so that nothing stale is ever multiplied.
struct KvWrite {
  static constexpr Op op = Op::kvWrite;
  Operand k;  // act[T,G*D]
  Operand v;  // act[T,G*E]
  int32_t kvHeads;
  int32_t group;
  int32_t layer;
  Dtype dtype;
};

// y = rope(q); rope(k) and v are rounded and written to the cache: rope and kvWrite in one pass.
struct RopeKvWrite {
  static constexpr Op op = Op::ropeKvWrite;
  Operand y;  // act[T,A*D]
  Operand q;  // act[T,A*D]
  Operand k;  // act[T,G*D]
  Operand v;  // act[T,G*E]
  Operand table;  // act[T,R]
  int32_t heads;
  int32_t kvHeads;
  int32_t interleaved;
  int32_t group;
  int32_t layer;
  Dtype dtype;
};

// Paged causal attention: y[t,a] = softmax_j(scale * q[t,a] . K[j, a / (A/G)]) V over cached positions j <= position[t], and j > position[t] - window when window > 0. A bfloat16 cache rounds q and the probabilities to bfloat16. Vaswani et al. 2017; Ainslie et al. 2023.
struct Attention {
  static constexpr Op op = Op::attention;
  Operand y;  // act[T,A*E]
  Operand q;  // act[T,A*D]
  int32_t heads;
  int32_t kvHeads;
  int32_t headDim;
  int32_t valueDim;
  float scale;
  int32_t window;
  int32_t group;
  int32_t layer;
  Dtype dtype;
};

// y = f(x), f by `kind`: relu, silu (x * sigmoid(x)), gelu (exact, by erf), geluTanh (Hendrycks & Gimpel 2016), tanh, sigmoid. y may be x's own buffer.
struct Activation {
  static constexpr Op op = Op::activation;
  Operand y;  // act[T,I]
  Operand x;  // act[T,I]
  int32_t kind;
};

// y = f(gate) * up, f by `kind` as in activation: SwiGLU and its kin, Shazeer 2020.
struct GatedActivation {
  static constexpr Op op = Op::gatedActivation;
  Operand y;  // act[T,I]
  Operand gate;  // act[T,I]
  Operand up;  // act[T,I]
  int32_t kind;
};

// y = a + b. y may be a's or b's own buffer.
struct Add {
  static constexpr Op op = Op::add;
  Operand y;  // act[T,H]
  Operand a;  // act[T,H]
  Operand b;  // act[T,H]
};

// y[r] = x[rows[r]]: the token rows whose logits are wanted. It opens the head: what follows runs over output rows.
struct GatherRows {
  static constexpr Op op = Op::gatherRows;
  Operand y;  // act[R,H]
  Operand x;  // act[T,H]
};

// Bidirectional attention within each sequence of the step, which must hold all of its tokens: y[t,a] = softmax_j(scale * q[t,a] . k[j, a / (A/G)]) v over all j, or, when reach > 0, over |position[j] - position[t]| <= reach. K and V are rounded to `dtype`, as a cache would; bfloat16 rounds q and the probabilities too. Vaswani et al. 2017.
struct EncoderAttention {
  static constexpr Op op = Op::encoderAttention;
  Operand y;  // act[T,A*E]
  Operand q;  // act[T,A*D]
  Operand k;  // act[T,G*D]
  Operand v;  // act[T,G*E]
  int32_t heads;
  int32_t kvHeads;
  int32_t headDim;
  int32_t valueDim;
  float scale;
  int32_t reach;
  Dtype dtype;
};

// y[t,h] = (sum of x[j,h] over the tokens j <= t of t's sequence) / (positions[t] + 1), added in float32 in the order of positions. A sequence that goes on from an earlier step begins with the sum that its place, carries[s], has kept, and every sequence with a place leaves its sum there.
struct RunningMean {
  static constexpr Op op = Op::runningMean;
  Operand y;  // act[T,H]
  Operand x;  // act[T,H]
};

// Calls visit(opStruct) with the struct type of `op`; false when there is no such op.
template <class Visit>
bool dispatch(Op op, Visit&& visit) {
  switch (op) {
    case Op::embed: visit(static_cast<const Embed*>(nullptr)); return true;
    case Op::linear: visit(static_cast<const Linear*>(nullptr)); return true;
    case Op::rmsNorm: visit(static_cast<const RmsNorm*>(nullptr)); return true;
    case Op::layerNorm: visit(static_cast<const LayerNorm*>(nullptr)); return true;
    case Op::addRmsNorm: visit(static_cast<const AddRmsNorm*>(nullptr)); return true;
    case Op::addLayerNorm: visit(static_cast<const AddLayerNorm*>(nullptr)); return true;
    case Op::rotary: visit(static_cast<const Rotary*>(nullptr)); return true;
    case Op::rope: visit(static_cast<const Rope*>(nullptr)); return true;
    case Op::kvWrite: visit(static_cast<const KvWrite*>(nullptr)); return true;
    case Op::ropeKvWrite: visit(static_cast<const RopeKvWrite*>(nullptr)); return true;
    case Op::attention: visit(static_cast<const Attention*>(nullptr)); return true;
    case Op::activation: visit(static_cast<const Activation*>(nullptr)); return true;
    case Op::gatedActivation: visit(static_cast<const GatedActivation*>(nullptr)); return true;
    case Op::add: visit(static_cast<const Add*>(nullptr)); return true;
    case Op::gatherRows: visit(static_cast<const GatherRows*>(nullptr)); return true;
    case Op::encoderAttention: visit(static_cast<const EncoderAttention*>(nullptr)); return true;
    case Op::runningMean: visit(static_cast<const RunningMean*>(nullptr)); return true;
  }
  return false;
}

}  // namespace millrace::ops
