// Scalar conversions between storage dtypes, to nearest even. For loading; kernels have their own.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "ops.h"

namespace millrace {

inline float fromBfloat16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

inline uint16_t toBfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);  // NaN stays NaN
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Integer arithmetic only: the compute threads flush denormals, and half's denormals are ordinary numbers.
inline float fromFloat16(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 31;
  uint32_t mantissa = half & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  if (mantissa == 0) return std::bit_cast<float>(sign);
  const int shift = std::countl_zero(mantissa) - 21;  // to bring the leading one to bit 10
  mantissa = mantissa << shift & 1023;
  return std::bit_cast<float>(sign | static_cast<uint32_t>(113 - shift) << 23 | mantissa << 13);
}

inline uint16_t toFloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  const auto exponent = static_cast<int>(magnitude >> 23);
  if (exponent < 102) return sign;  // below half of the least denormal
  const uint32_t mantissa = (magnitude & 0x7fffff) | 0x800000;
  const int drop = exponent >= 113 ? 13 : 126 - exponent;
  const uint32_t half = mantissa >> drop;
  const uint32_t rest = mantissa & ((1u << drop) - 1), middle = 1u << (drop - 1);
  const uint32_t rounded = half + (rest > middle || (rest == middle && (half & 1)) ? 1 : 0);
  // A normal's leading one adds itself to the exponent; a carry climbs into it, up to infinity.
  const uint32_t base = exponent >= 113 ? static_cast<uint32_t>(exponent - 113) << 10 : 0;
  return static_cast<uint16_t>(sign | (base + rounded));
}

inline float readElement(const std::byte* at, ops::Dtype dtype) {
  if (dtype == ops::Dtype::float32) {
    float value;
    std::memcpy(&value, at, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, at, 2);
  return dtype == ops::Dtype::bfloat16 ? fromBfloat16(bits) : fromFloat16(bits);
}

inline void writeElement(std::byte* at, ops::Dtype dtype, float value) {
  if (dtype == ops::Dtype::float32) {
    std::memcpy(at, &value, 4);
    return;
  }
  const uint16_t bits = dtype == ops::Dtype::bfloat16 ? toBfloat16(value) : toFloat16(value);
  std::memcpy(at, &bits, 2);
}

}  // namespace millrace
