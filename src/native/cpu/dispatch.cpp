// Chooses the kernels by what the processor has, or by the name that MILLRACE_ISA or an argument gives.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#ifdef MILLRACE_HAS_AVX512
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "../context.h"

namespace millrace {
namespace cpu {
#define MILLRACE_DECLARE(isa) \
  namespace isa {             \
  extern const KernelTable kernelTable; \
  }
MILLRACE_DECLARE(portable)
#ifdef MILLRACE_HAS_AVX2
MILLRACE_DECLARE(avx2)
#endif
#ifdef MILLRACE_HAS_AVX512
MILLRACE_DECLARE(avx512)
namespace amx {
void linear(const void* op, Context& context);
}
#endif
#ifdef MILLRACE_HAS_AVX512BF16
MILLRACE_DECLARE(avx512bf16)
#endif
#undef MILLRACE_DECLARE
}  // namespace cpu

namespace {

// A built table and whether this processor runs it; the operating system's part of the answer is in __builtin_cpu_supports.
struct Candidate {
  const KernelTable* table;
  bool runs;
};

#ifdef MILLRACE_HAS_AVX512
// avx512, but for linears.
const KernelTable& amxTable() {
  static const KernelTable table = [] {
    KernelTable made = cpu::avx512::kernelTable;
    made.isa = "amx";
    made.kernels[static_cast<int32_t>(ops::Op::linear)] = cpu::amx::linear;
    return made;
  }();
  return table;
}

// Linux lends the tile registers to a process that asks for them.
bool amxRuns() {
  constexpr long requestPermission = 0x1023, tileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("avx512bf16") && syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
}
#endif

template <class Visit> void eachCandidate(Visit&& visit) {  // best first
#if defined(MILLRACE_HAS_AVX512) || defined(MILLRACE_HAS_AVX512BF16)
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
#endif
#ifdef MILLRACE_HAS_AVX512
  visit(Candidate{&amxTable(), avx512 && amxRuns()});
#endif
  // Intel's vdpbf16ps is slower than the two fused multiply-adds that it equals (107 against 155 GFLOP/s at 512 rows, Sapphire
  // Rapids); AMD's is twice as fast as they.
#ifdef MILLRACE_HAS_AVX512BF16
  const Candidate pairs{&cpu::avx512bf16::kernelTable, avx512 && __builtin_cpu_supports("avx512bf16")};
  const bool pairsFirst = !__builtin_cpu_is("intel");
  if (pairsFirst) visit(pairs);
#endif
#ifdef MILLRACE_HAS_AVX512
  visit(Candidate{&cpu::avx512::kernelTable, avx512});
#endif
#ifdef MILLRACE_HAS_AVX512BF16
  if (!pairsFirst) visit(pairs);
#endif
#ifdef MILLRACE_HAS_AVX2
  visit(Candidate{&cpu::avx2::kernelTable, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")});
#endif
  visit(Candidate{&cpu::portable::kernelTable, true});
}

}  // namespace

const KernelTable& selectKernels(const char* forced) {
  const char* name = forced ? forced : std::getenv("MILLRACE_ISA");
  if (name && *name == '\0') name = nullptr;
  const KernelTable* found = nullptr;
  bool built = false;
  std::string names;
  eachCandidate([&](Candidate candidate) {
    if (candidate.runs) names += std::string(names.empty() ? "" : ", ") + candidate.table->isa;
    const bool wanted = !name || std::strcmp(name, candidate.table->isa) == 0;
    built = built || (name && wanted);
    if (!found && wanted && candidate.runs) found = candidate.table;
  });
  if (found) return *found;
  throw std::invalid_argument(std::string("MILLRACE_ISA is '") + name + "', which " +
                              (built ? "this processor cannot run" : "is not an instruction family of this build") + ". It runs: " + names + ".");
}

}  // namespace millrace
