// Chooses the kernels by what the processor has, or by the name that MILLRACE_ISA or an argument gives.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

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

template <class Visit> void eachCandidate(Visit&& visit) {  // best first
#if defined(MILLRACE_HAS_AVX512) || defined(MILLRACE_HAS_AVX512BF16)
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
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
