// What this machine allows, as one line of JSON: read bandwidth (GB/s) and arithmetic peak (GFLOP/s) with 1 and 2 threads.
// With the argument "reads" it finds the fastest way to read and then answers each line of standard input, a number of seconds, with
// the GB/s that it reads so long.
// Compiled with -march=native. Arithmetic (flops): vdpbf16ps where there is AVX-512 BF16, else float32 FMA. Beside it, with 2 threads,
// float32 FMA (fma2: some Intel cores run it on two ports and vdpbf16ps at half their rate) and bfloat16 AMX (amx2: 0 where there is none).
#include <immintrin.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr size_t bytes = size_t{1} << 30;  // as much as the weights of the pair's model: more than caches keep
volatile float sink;

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class Work>
double timed(int threads, Work work) {
  std::vector<std::thread> crew;
  const double start = seconds();
  for (int t = 1; t < threads; t++) crew.emplace_back(work, t);
  work(0);
  for (auto& thread : crew) thread.join();
  return seconds() - start;
}

// Reads [from, from + size) once; `ahead` > 0 prefetches so many bytes ahead of the loads.
template <size_t ahead>
void readOnce(const char* from, size_t size) {
#ifdef __AVX512F__
  __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
  for (size_t i = 0; i < size; i += 256) {
    if (ahead)
      for (int line = 0; line < 4; line++) _mm_prefetch(from + i + ahead + 64 * line, _MM_HINT_T0);
    a = _mm512_or_si512(a, _mm512_load_si512(from + i));
    b = _mm512_or_si512(b, _mm512_load_si512(from + i + 64));
    c = _mm512_or_si512(c, _mm512_load_si512(from + i + 128));
    d = _mm512_or_si512(d, _mm512_load_si512(from + i + 192));
  }
  sink = static_cast<float>(_mm512_reduce_or_epi32(_mm512_or_si512(_mm512_or_si512(a, b), _mm512_or_si512(c, d))));
#else
  __m256i a = _mm256_setzero_si256(), b = a;
  for (size_t i = 0; i < size; i += 64) {
    if (ahead) _mm_prefetch(from + i + ahead, _MM_HINT_T0);
    a = _mm256_or_si256(a, _mm256_load_si256(reinterpret_cast<const __m256i*>(from + i)));
    b = _mm256_or_si256(b, _mm256_load_si256(reinterpret_cast<const __m256i*>(from + i + 32)));
  }
  sink = static_cast<float>(_mm256_extract_epi32(_mm256_or_si256(a, b), 0));
#endif
}

#ifdef __AVX512F__
// The same as our linears do it: two runs of memory side by side, 2 KB ahead, and a wait for the loads every 8 lines of both.
void readPaced(const char* from, size_t size) {
  constexpr size_t run = 32768, ahead = 2048;
  __m512i a = _mm512_setzero_si512(), b = a;
  for (const char* left = from; left < from + size; left += 2 * run) {
    const char* right = left + run;
    for (size_t i = 0; i < run; i += 64) {
      if (i % 512 == 0) _mm_lfence();
      const size_t next = i + ahead < run ? i + ahead : i + ahead + run;
      _mm_prefetch(left + next, _MM_HINT_T0);
      _mm_prefetch(right + next, _MM_HINT_T0);
      a = _mm512_or_si512(a, _mm512_load_si512(left + i));
      b = _mm512_or_si512(b, _mm512_load_si512(right + i));
    }
  }
  sink = static_cast<float>(_mm512_reduce_or_epi32(_mm512_or_si512(a, b)));
}
#endif

using Read = void (*)(const char* from, size_t size);
constexpr Read reads[] = {
    readOnce<0>, readOnce<1024>, readOnce<2048>,
#ifdef __AVX512F__
    readPaced,
#endif
};

// A way to read, and the GB/s that it gave.
struct Reading {
  int threads;
  Read read;
  double rate = 0;
};

double bandwidth(const char* memory, Reading how, double duration) {
  double time = 0, read = 0;
  const size_t share = bytes / how.threads;
  while (time < duration) {
    time += timed(how.threads, [&](int t) { how.read(memory + t * share, share); });
    read += bytes;
  }
  return read / time / 1e9;
}

// Kept up for half a second, as a decode keeps it up: the best of single reads is 3% more on a machine that is shared.
Reading fastest(const char* memory, int threads) {
  Reading best{};
  for (const Read read : reads) {
    Reading how{threads, read};
    how.rate = bandwidth(memory, how, 0.5);
    if (how.rate > best.rate) best = how;
  }
  return best;
}

void answerReads(const char* memory) {
  const Reading one = fastest(memory, 1), two = fastest(memory, 2);
  const Reading how = two.rate > one.rate ? two : one;
  for (double duration; std::scanf("%lf", &duration) == 1; std::fflush(stdout))
    std::printf("%.2f\n", bandwidth(memory, how, duration));
}

// 16 independent chains a thread: enough to hide the instruction's latency.
constexpr int chains = 16;
constexpr long rounds = 4'000'000;

#ifdef __AVX512F__
struct Fma {
  static constexpr const char* name = "float32 FMA, AVX-512";
  static constexpr double flops = 32;
  using Vector = __m512;
  static Vector splat(float x) { return _mm512_set1_ps(x); }
  static Vector step(Vector acc, Vector x) { return _mm512_fmadd_ps(x, x, acc); }
};
#else
struct Fma {
  static constexpr const char* name = "float32 FMA, AVX2";
  static constexpr double flops = 16;
  using Vector = __m256;
  static Vector splat(float x) { return _mm256_set1_ps(x); }
  static Vector step(Vector acc, Vector x) { return _mm256_fmadd_ps(x, x, acc); }
};
#endif
#ifdef __AVX512BF16__
struct PairDot : Fma {
  static constexpr const char* name = "bf16 vdpbf16ps";
  static constexpr double flops = 64;
  static Vector step(Vector acc, Vector x) { return _mm512_dpbf16_ps(acc, (__m512bh)x, (__m512bh)x); }
};
using Best = PairDot;
#else
using Best = Fma;
#endif

template <class Op>
void multiply(int) {
  typename Op::Vector acc[chains];
  for (auto& a : acc) a = Op::splat(1.0f);
  typename Op::Vector x = Op::splat(1.0009765625f);
  for (long r = 0; r < rounds; r++) {
#pragma GCC unroll 16
    for (int c = 0; c < chains; c++) acc[c] = Op::step(acc[c], x);
    __asm__ volatile("" : "+x"(x));  // the loop must not be folded away
  }
  float sum = 0;
  for (auto& a : acc) sum += reinterpret_cast<float*>(&a)[0];
  sink = sum;
}

template <class Op>
double arithmetic(int threads) {
  double best = 0;
  for (int repeat = 0; repeat < 3; repeat++)
    best = std::max(best, threads * rounds * chains * Op::flops / timed(threads, multiply<Op>) / 1e9);
  return best;
}

#ifdef __AMX_BF16__
struct alignas(64) TileConfiguration {
  uint8_t palette, startRow, reserved[14];
  uint16_t rowBytes[16];
  uint8_t rows[16];
};
constexpr TileConfiguration sixTiles{1, 0, {}, {64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16}};
constexpr double tileFlops = 2.0 * 16 * 16 * 32;

// Four chains of products of tiles that are zero, which takes as long as any.
void multiplyTiles(int) {
  _tile_loadconfig(&sixTiles);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  for (long r = 0; r < rounds; r++) {
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 5);
    _tile_dpbf16ps(2, 4, 5);
    _tile_dpbf16ps(3, 4, 5);
  }
  _tile_release();
}

double tileArithmetic(int threads) {
  constexpr long requestPermission = 0x1023, tileData = 18;
  if (syscall(SYS_arch_prctl, requestPermission, tileData) != 0) return 0;
  return threads * rounds * 4 * tileFlops / timed(threads, multiplyTiles) / 1e9;
}
#else
double tileArithmetic(int) { return 0; }
#endif

}  // namespace

int main(int count, char** arguments) {
  void* memory = mmap(nullptr, bytes + (1 << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::perror("peak: 1 GiB of memory"), 1;
  madvise(memory, bytes, MADV_HUGEPAGE);
  char* data = static_cast<char*>(memory);
  timed(2, [&](int t) {
    for (size_t i = t * (bytes / 2); i < (t + 1) * (bytes / 2); i += 4096) data[i] = 1;
  });
  if (count > 1 && std::strcmp(arguments[1], "reads") == 0) return answerReads(data), 0;
  std::printf("{\"read1\":%.2f,\"read2\":%.2f,\"flops1\":%.1f,\"flops2\":%.1f,\"fma2\":%.1f,\"amx2\":%.1f,\"kind\":\"%s\"}\n",
              fastest(data, 1).rate, fastest(data, 2).rate, arithmetic<Best>(1), arithmetic<Best>(2), arithmetic<Fma>(2), tileArithmetic(2), Best::name);
}
