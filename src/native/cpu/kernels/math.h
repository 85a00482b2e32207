// Our own elementary functions, so that no libm and no instruction set has a say in a result's bits. Every product that is
// added is an explicit fma; the rest is rounded operation by operation (-ffp-contract=off).
#pragma once
#include <cstdint>
#include <cstring>

#include "../simd.h"

namespace millrace::cpu::MILLRACE_ISA_NAMESPACE {

// c[0] + c[1] x + ... by Horner.
template <int N> inline V polynomial(const float (&c)[N], V x) {
  V p = set(c[N - 1]);
#pragma GCC unroll 16
  for (int i = N - 2; i >= 0; i--) p = fma(p, x, set(c[i]));
  return p;
}

// e^x to about 1 ulp; overflows to infinity, underflows to 0, NaN stays. x = n ln2 + r, |r| <= 0.35; Taylor to r^7 (5e-9).
inline V exp(V x) {
  constexpr float c[] = {1.f, 1.f, 0.5f, 1.f / 6, 1.f / 24, 1.f / 120, 1.f / 720, 1.f / 5040};
  x = min(set(90.f), max(set(-120.f), x));
  const V shift = set(12582912.f);  // 1.5 * 2^23: adding it rounds to an integer
  const V t = fma(x, set(1.44269504088896341f), shift);
  const V n = t - shift;
  V r = fma(n, set(-0.693145751953125f), x);
  r = fma(n, set(-1.42860682030941723e-6f), r);
  // 2^n in two factors: n may pass either end of the exponent's range.
  const I whole = asInt(t) - asInt(shift);
  const I half = shiftRight<1>(whole);
  const I one = setInt(127);
  return polynomial(c, r) * asFloat(shiftLeft<23>(half + one)) * asFloat(shiftLeft<23>(whole - half + one));
}

inline V sigmoidTimes(V x, V z) { return x / (set(1.f) + exp(set(0.f) - z)); }

// e^(a^2) erfc(a) = t P(t) with t = 1 / (1 + 0.4 a), a minimax fit over 0 <= a <= 9.6 (1e-8); past it the exponential is 0.
inline V erfcPositive(V a) {
  constexpr float c[] = {0.225687698f,  0.225397721f, 0.210439369f,  0.155376077f,  0.178833842f,  -0.0605218299f,
                         0.186694756f, -0.11280451f,  -0.0649522319f, 0.0735935792f, -0.0177444797f};
  const V t = set(1.f) / fma(a, set(0.4f), set(1.f));
  const V square = a * a;
  const V rest = fma(a, a, set(0.f) - square);  // what the square lost
  return t * polynomial(c, t) * exp(set(0.f) - square) * (set(1.f) - rest);
}

struct Relu {
  static V apply(V x) { return max(set(0.f), x); }  // max(0, NaN) is NaN
};
struct Silu {
  static V apply(V x) { return sigmoidTimes(x, x); }
};
// x Phi(x): the tail of the sign at hand, so that nothing cancels for negative x.
struct Gelu {
  static V apply(V x) {
    const V tail = set(0.5f) * erfcPositive(min(set(20.f), absolute(x) * set(0.70710678118654752f)));
    return x * select(less(x, set(0.f)), tail, set(1.f) - tail);
  }
};
// x/2 (1 + tanh u) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3)
struct GeluTanh {
  static V apply(V x) {
    const V u = x * fma(x * x, set(0.044715f * 1.5957691216057308f), set(1.5957691216057308f));
    return sigmoidTimes(x, u);
  }
};

struct Sigmoid {
  static V apply(V x) { return sigmoidTimes(set(1.f), x); }
};
// 1 - 2 / (e^(2|x|) + 1), with the sign of x; what cancels near zero is below 1e-7.
struct Tanh {
  static V apply(V x) {
    const V rest = set(2.f) / (set(1.f) + exp(absolute(x) * set(2.f)));
    return select(equal(x, x), copySign(set(1.f) - rest, x), x);
  }
};

// sin and cos of a float32 angle, in float64: |angle| < 2^30 or so. Quarter turns are taken off by a pi/2 in two parts, the
// first of 33 bits, so that its product with up to 2^20 turns is exact; Taylor to the 15th power leaves 1e-14.
inline void sinCos(float angle, double& sine, double& cosine) {
  const double x = angle;
  const double shift = 6755399441055744.0;  // 1.5 * 2^52
  const double t = x * 0.63661977236758134308 + shift;
  const double n = t - shift;
  const double r = (x - n * 1.57079632673412561417e+00) - n * 6.07710050650619224932e-11;
  int64_t quarter;
  std::memcpy(&quarter, &t, sizeof quarter);
  const double z = r * r;
  const double s = r + r * z * (-1. / 6 + z * (1. / 120 + z * (-1. / 5040 + z * (1. / 362880 + z * (-1. / 39916800 + z * (1. / 6227020800. - z / 1307674368000.))))));
  const double c = 1 + z * (-1. / 2 + z * (1. / 24 + z * (-1. / 720 + z * (1. / 40320 + z * (-1. / 3628800 + z * (1. / 479001600. - z / 87178291200.))))));
  const bool swap = quarter & 1;
  sine = swap ? c : s;
  cosine = swap ? s : c;
  if (quarter & 2) sine = -sine;
  if ((quarter + 1) & 2) cosine = -cosine;
}

// Natural logarithm of a positive normal float64, to about 1e-15: x = 2^e m, log m = 2 artanh((m - 1) / (m + 1)).
inline double logarithm(double x) {
  int64_t u;
  std::memcpy(&u, &x, sizeof u);
  int64_t e = ((u >> 52) & 2047) - 1023;
  u = (u & 0xfffffffffffffll) | 0x3ff0000000000000ll;
  double m;
  std::memcpy(&m, &u, sizeof m);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    e++;
  }
  const double s = (m - 1) / (m + 1), z = s * s;
  double p = 0;
  for (int i = 23; i >= 1; i -= 2) p = p * z + 1.0 / i;
  return 2 * s * p + static_cast<double>(e) * 0.69314718055994530942;
}

}  // namespace millrace::cpu::MILLRACE_ISA_NAMESPACE
