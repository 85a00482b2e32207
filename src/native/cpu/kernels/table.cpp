// The kernel table of this instruction set.
#include "kernels.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

#define MILLRACE_TEXT(x) #x
#define MILLRACE_NAME(x) MILLRACE_TEXT(x)

extern const KernelTable kernelTable;
const KernelTable kernelTable = {
    MILLRACE_NAME(MILLRACE_ISA_NAMESPACE),
    // In the order of ops::Op.
    {embed, linear, rmsNorm, layerNorm, addRmsNorm, addLayerNorm, rotary, rope, kvWrite, ropeKvWrite, attention, activation, gatedActivation, add,
     gatherRows, encoderAttention, runningMean},
    pack,
    sample,
    readKv,
};
static_assert(static_cast<int>(ops::Op::runningMean) == ops::opCount - 1 && static_cast<int>(ops::Op::attention) == 10, "the table above follows ops::Op");

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
