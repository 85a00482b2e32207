// What the kernels promise beside their digests: they are right (against float64), and a row's bits are its own, whatever
// rows, chunks, tiles or stale cache contents surround it. Every family that this machine runs is tried.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "bench.h"

using namespace millrace;
using namespace millrace::test;

namespace {

int failures = 0;
void expect(bool held, const KernelTable& kernels, const std::string& promise) {
  if (held) return;
  failures++;
  std::printf("%s: broken: %s\n", kernels.isa, promise.c_str());
}

using Values = std::vector<float>;
Values normals(uint64_t seed, size_t count, float scale) {
  Random random(seed);
  Values v(count);
  for (float& x : v) x = random.normal(scale);
  return v;
}

struct Shape {
  int heads, kvHeads, D, blockSize, window;
  ops::Dtype dtype;
};

// K and V of one sequence written, `chunk` tokens a step, each chunk attending at once: y of all tokens.
Values attend(const KernelTable& kernels, const Shape& s, const Values& q, const Values& k, const Values& v, int length, int chunk, float stale, bool scrambled) {
  Bench b(kernels, scrambled);
  b.cache({length}, s.kvHeads, s.D, s.D, s.blockSize, s.dtype);
  const auto cell = static_cast<size_t>(s.kvHeads * kvCellBytes(s.D, s.blockSize, s.dtype));
  if (stale != 0)  // what an earlier owner left in every block but the null block
    for (size_t i = cell; i + 4 <= cell * static_cast<size_t>(b.layer.blocks); i += 4) {
      std::memcpy(b.layer.keys + i, &stale, 4);
      std::memcpy(b.layer.values + i, &stale, 4);
    }
  Values all;
  for (int from = 0; from < length; from += chunk) {
    const int count = chunk < length - from ? chunk : length - from;
    b.stage({{from, count}});
    const auto part = [&](const Values& x, int width) {
      return b.slot({x.begin() + from * width, x.begin() + (from + count) * width}, width);
    };
    b.run(ops::KvWrite{part(k, s.kvHeads * s.D), part(v, s.kvHeads * s.D), s.kvHeads, 0, 0, s.dtype});
    const auto y = b.empty(s.heads * s.D);
    b.run(ops::Attention{y, part(q, s.heads * s.D), s.heads, s.kvHeads, s.D, s.D, 1.f / __builtin_sqrtf(static_cast<float>(s.D)), s.window, 0, 0, s.dtype});
    all.insert(all.end(), b.result(y), b.result(y) + count * s.heads * s.D);
  }
  return all;
}

// The greatest error of y against float64, for float32 caches.
double attentionError(const Shape& s, const Values& q, const Values& k, const Values& v, const Values& y, int length) {
  double worst = 0;
  for (int t = 0; t < length; t++)
    for (int h = 0; h < s.heads; h++) {
      const int g = h / (s.heads / s.kvHeads), first = s.window > 0 && t >= s.window ? t - s.window + 1 : 0;
      std::vector<double> p, out(static_cast<size_t>(s.D), 0.0);
      double max = -1e300, total = 0;
      for (int j = first; j <= t; j++) {
        double dot = 0;
        for (int d = 0; d < s.D; d++)
          dot += static_cast<double>(q[static_cast<size_t>((t * s.heads + h) * s.D + d)]) * static_cast<double>(k[static_cast<size_t>((j * s.kvHeads + g) * s.D + d)]);
        p.push_back(dot / std::sqrt(static_cast<double>(s.D)));
        max = std::max(max, p.back());
      }
      for (int j = first; j <= t; j++) {
        const double e = std::exp(p[static_cast<size_t>(j - first)] - max);
        total += e;
        for (int d = 0; d < s.D; d++) out[static_cast<size_t>(d)] += e * static_cast<double>(v[static_cast<size_t>((j * s.kvHeads + g) * s.D + d)]);
      }
      for (int d = 0; d < s.D; d++)
        worst = std::max(worst, std::abs(out[static_cast<size_t>(d)] / total - static_cast<double>(y[static_cast<size_t>((t * s.heads + h) * s.D + d)])));
    }
  return worst;
}

void testAttention(const KernelTable& kernels) {
  for (const auto dtype : {ops::Dtype::float32, ops::Dtype::bfloat16, ops::Dtype::float16})
    for (const Shape& s : {Shape{4, 2, 64, 16, 0, dtype}, Shape{3, 3, 20, 32, 0, dtype}, Shape{6, 1, 32, 16, 70, dtype}}) {
      const int length = 600;
      const auto n = static_cast<size_t>(length * s.D);
      const Values q = normals(1, n * static_cast<size_t>(s.heads), 1.5f), k = normals(2, n * static_cast<size_t>(s.kvHeads), 1), v = normals(3, n * static_cast<size_t>(s.kvHeads), 1);
      const Values whole = attend(kernels, s, q, k, v, length, length, 0, false);
      const std::string name = " (D " + std::to_string(s.D) + ", dtype " + std::to_string(static_cast<int>(dtype)) + ", window " + std::to_string(s.window) + ")";
      const double error = attentionError(s, q, k, v, whole, length);
      const double allowed = dtype == ops::Dtype::float32 ? 5e-6 : dtype == ops::Dtype::bfloat16 ? 0x1p-5 : 0x1p-8;  // the data is rounded, too
      expect(error < allowed, kernels, "attention is right, error " + std::to_string(error) + name);
      expect(attend(kernels, s, q, k, v, length, 1, 0, false) == whole, kernels, "decode equals prefill bit for bit" + name);
      expect(attend(kernels, s, q, k, v, length, 53, 0, true) == whole, kernels, "chunks and threads leave no trace" + name);
      expect(attend(kernels, s, q, k, v, length, 53, __builtin_nanf(""), false) == whole, kernels, "stale NaN never leaks" + name);
    }
}

// A sequence's rows in a step of `lengths`, as they are when it is alone.
Values attendAll(const KernelTable& kernels, const Shape& s, const std::vector<Values>& q, const std::vector<Values>& k, const std::vector<Values>& v, bool scrambled) {
  Bench b(kernels, scrambled);
  std::vector<Part> parts;
  Values Q, K, V;
  for (size_t i = 0; i < q.size(); i++) {
    parts.push_back({0, static_cast<int>(q[i].size()) / (s.heads * s.D)});
    Q.insert(Q.end(), q[i].begin(), q[i].end());
    K.insert(K.end(), k[i].begin(), k[i].end());
    V.insert(V.end(), v[i].begin(), v[i].end());
  }
  b.stage(parts);
  const auto y = b.empty(s.heads * s.D);
  b.run(ops::EncoderAttention{y, b.slot(Q, s.heads * s.D), b.slot(K, s.kvHeads * s.D), b.slot(V, s.kvHeads * s.D), s.heads, s.kvHeads, s.D, s.D, 0.2f, s.window, s.dtype});
  return {b.result(y), b.result(y) + Q.size()};
}

void testEncoderAttention(const KernelTable& kernels) {
  for (const auto dtype : {ops::Dtype::float32, ops::Dtype::bfloat16, ops::Dtype::float16})
    for (const Shape& s : {Shape{4, 2, 32, 16, 0, dtype}, Shape{3, 3, 20, 16, 11, dtype}}) {
      std::vector<Values> q, k, v;
      for (const int length : {70, 1, 129, 16}) {
        const auto seed = static_cast<uint64_t>(length);
        q.push_back(normals(seed, static_cast<size_t>(length * s.heads * s.D), 1.5f));
        k.push_back(normals(seed + 1, static_cast<size_t>(length * s.kvHeads * s.D), 1));
        v.push_back(normals(seed + 2, static_cast<size_t>(length * s.kvHeads * s.D), 1));
      }
      // What a neighbour holds must not be seen: not even what is not finite.
      std::fill(k[1].begin(), k[1].end(), __builtin_nanf(""));
      std::fill(v[1].begin(), v[1].end(), __builtin_inff());
      const Values all = attendAll(kernels, s, q, k, v, true);
      size_t at = 0;
      for (size_t i = 0; i < q.size(); i++) {
        const Values alone = attendAll(kernels, s, {q[i]}, {k[i]}, {v[i]}, false);
        if (i != 1) expect(std::equal(alone.begin(), alone.end(), all.begin() + static_cast<ptrdiff_t>(at)), kernels, "a sequence attends to itself alone");
        at += alone.size();
      }
    }
}

void testLinear(const KernelTable& kernels) {
  const int M = 37, N = 100, K = 90;
  const Values x = normals(4, M * K, 1), w = normals(5, N * K, 0.1f), bias = normals(6, N, 1);
  for (const auto dtype : {ops::Dtype::float32, ops::Dtype::bfloat16, ops::Dtype::float16}) {
    Values whole;
    for (const int chunk : {M, 1, 2, 3, 4, 5, 10}) {
      Values all;
      for (int from = 0; from < M; from += chunk) {
        const int count = chunk < M - from ? chunk : M - from;
        Bench b(kernels, chunk == 10);
        b.stage({{0, count}});
        const auto y = b.empty(N);
        b.run(ops::Linear{y, b.slot({x.begin() + from * K, x.begin() + (from + count) * K}, K), b.linear(w, N, K, dtype), b.vector(bias), dtype});
        all.insert(all.end(), b.result(y), b.result(y) + count * N);
      }
      if (chunk == M) whole = all;
      expect(all == whole, kernels, "a linear's row is its own in batches of " + std::to_string(chunk));
    }
    double worst = 0;
    for (int m = 0; m < M; m++)
      for (int n = 0; n < N; n++) {
        double sum = static_cast<double>(bias[static_cast<size_t>(n)]);
        for (int i = 0; i < K; i++) sum += static_cast<double>(x[static_cast<size_t>(m * K + i)]) * static_cast<double>(w[static_cast<size_t>(n * K + i)]);
        worst = std::max(worst, std::abs(sum - static_cast<double>(whole[static_cast<size_t>(m * N + n)])));
      }
    const double allowed = dtype == ops::Dtype::float32 ? 3e-6 : dtype == ops::Dtype::bfloat16 ? 0.03 : 2e-3;
    expect(worst < allowed, kernels, "linear is right, error " + std::to_string(worst));
  }
}

void testFunctions(const KernelTable& kernels) {
  const int I = 20000;
  Values x(I);
  for (int i = 0; i < I; i++) x[static_cast<size_t>(i)] = static_cast<float>(i - I / 2) * 0.002f;
  const auto phi = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); };
  for (int kind = 0; kind < 6; kind++) {
    Bench b(kernels, false);
    b.stage({{0, 1}});
    const auto y = b.empty(I);
    b.run(ops::Activation{y, b.slot(x, I), kind});
    double worst = 0;
    for (int i = 0; i < I; i++) {
      const double z = static_cast<double>(x[static_cast<size_t>(i)]);
      const double u = std::sqrt(2 / 3.14159265358979323846) * (z + 0.044715 * z * z * z);
      const double expected = kind == 0 ? std::max(0.0, z) : kind == 1 ? z / (1 + std::exp(-z)) : kind == 2 ? z * phi(z) : kind == 3 ? z / (1 + std::exp(-2 * u)) : kind == 4 ? std::tanh(z) : 1 / (1 + std::exp(-z));
      // tanh is right to its unit at 1, not relative to what it is near 0.
      const double least = kind == 4 ? 1 : 1e-3;
      worst = std::max(worst, std::abs(expected - static_cast<double>(b.result(y)[i])) / std::max(least, std::abs(expected)));
    }
    expect(worst < 1e-6, kernels, "activation " + std::to_string(kind) + " is right, relative error " + std::to_string(worst * 1e7) + "e-7");
  }
  Bench b(kernels, false);
  b.stage({{0, 3}, {999990, 10}});
  const Values frequency = {1.f, 0.75f, 0.1f, 1e-3f, 1e-6f, 0.3333f};
  const auto table = b.empty(12);
  b.run(ops::Rotary{table, b.vector(frequency), 1});
  double worst = 0;
  for (int t = 0; t < b.rows(); t++)
    for (int i = 0; i < 6; i++) {
      const double angle = static_cast<double>(static_cast<float>(b.positions[static_cast<size_t>(t)]) * frequency[static_cast<size_t>(i)]);
      worst = std::max({worst, std::abs(std::cos(angle) - static_cast<double>(b.result(table)[t * 12 + i])), std::abs(std::sin(angle) - static_cast<double>(b.result(table)[t * 12 + 6 + i]))});
    }
  expect(worst < 1e-7, kernels, "rotary is right at a million tokens, error " + std::to_string(worst * 1e7) + "e-7");
}

// Any order and splitting of rows into pack() gives the same bytes, also from a transposed tensor and another dtype.
void testPack(const KernelTable& kernels) {
  const int N = 50, K = 31;
  const Values w = normals(9, N * K, 1);
  Values turned(w.size());
  for (int n = 0; n < N; n++)
    for (int k = 0; k < K; k++) turned[static_cast<size_t>(k * N + n)] = w[static_cast<size_t>(n * K + k)];
  for (const auto dtype : {ops::Dtype::float32, ops::Dtype::bfloat16, ops::Dtype::float16}) {
    const auto bytes = static_cast<size_t>(packedLinearBytes(N, K, dtype));
    std::vector<std::byte> whole(bytes), parts(bytes), transposed(bytes);
    kernels.pack({w.data(), ops::Dtype::float32, K, 1, N, K}, 0, dtype, whole.data());
    for (const auto& [row, rows] : {std::pair{33, 17}, {0, 5}, {5, 28}})
      kernels.pack({w.data() + row * K, ops::Dtype::float32, K, 1, rows, K}, row, dtype, parts.data());
    kernels.pack({turned.data(), ops::Dtype::float32, 1, N, N, K}, 0, dtype, transposed.data());
    expect(whole == parts, kernels, "packing by parts");
    expect(whole == transposed, kernels, "packing a transposed tensor");
  }
}

}  // namespace

int main() {
  flushDenormals();
  int tried = 0;
  for (const char* isa : families) {
    try {
      const KernelTable& kernels = selectKernels(isa);
      testLinear(kernels);
      testAttention(kernels);
      testEncoderAttention(kernels);
      testFunctions(kernels);
      testPack(kernels);
      tried++;
    } catch (const std::exception& e) {
      std::printf("left out: %s\n", e.what());
    }
  }
  std::printf("%d families, %d broken promises\n", tried, failures);
  return failures == 0 && tried > 0 ? 0 : 1;
}
