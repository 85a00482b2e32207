// The generator of draws: Philox4x32-10 (Salmon et al. 2011), keyed by the seed, counted by the output index. A draw is a pure
// function of the two, so no batch, order or backend can change it. src/domain/sampling/generator.ts is its twin.
#pragma once
#include <cstdint>

#include "../simd.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

// Uniform in [0, 1), 53 bits.
inline double uniform(uint32_t seedLow, uint32_t seedHigh, uint32_t counter) {
  uint32_t c[4] = {counter, 0, 0, 0};
  for (int round = 0; round < 10; round++) {
    const uint64_t a = uint64_t{0xD2511F53u} * c[0], b = uint64_t{0xCD9E8D57u} * c[2];
    const uint32_t next[4] = {static_cast<uint32_t>(b >> 32) ^ c[1] ^ seedLow, static_cast<uint32_t>(b),
                              static_cast<uint32_t>(a >> 32) ^ c[3] ^ seedHigh, static_cast<uint32_t>(a)};
    for (int i = 0; i < 4; i++) c[i] = next[i];
    seedLow += 0x9E3779B9u;
    seedHigh += 0xBB67AE85u;
  }
  return (static_cast<double>(c[0]) * 2097152.0 + static_cast<double>(c[1] >> 11)) * 0x1p-53;
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
