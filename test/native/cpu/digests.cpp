// Every instruction family must make the same bytes of every op from the same inputs: the digests in digests.json, which
// are committed, so that a machine that lacks a family still proves the others. Each case runs twice, in order on one thread
// and scrambled over four.
//   test_digests            in this folder: checks digests.json for every family that this machine runs
//   test_digests --write    writes it anew from the portable family; the difference is a change of what the ops mean
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>

#include "bench.h"

using namespace millrace;
using namespace millrace::test;

namespace {

using Values = std::vector<float>;
using Case = std::function<Values(Bench&)>;

Values normals(Random& random, size_t count, float scale) {
  Values v(count);
  for (float& x : v) x = random.normal(scale);
  return v;
}
Values take(const Bench& bench, const ops::Operand& y, int columns) {
  const float* p = bench.result(y);
  return {p, p + static_cast<size_t>(bench.rows()) * static_cast<size_t>(columns)};
}

// Where the 16-bit types round, flush, or end.
const Values borders{65504.f, 65519.f, 65520.f, -70000.f, 6e-5f, 6.1e-5f, 3e-8f, 2.9e-8f, -1e-7f, 1e-39f, 1.00390625f, 1.01171875f};

// The borders as x, by the identity: what a linear rounds its x to.
Case borderCase(ops::Dtype dtype) {
  return [=](Bench& b) {
    const int K = static_cast<int>(borders.size());
    Values x(borders.size() * borders.size()), w(x.size());
    for (size_t i = 0; i < borders.size(); i++) {
      x[i * borders.size() + i] = borders[i];
      w[i * borders.size() + i] = 1;
    }
    b.stage({{0, K}});
    const auto y = b.empty(K);
    b.run(ops::Linear{y, b.slot(x, K), b.linear(w, K, K, dtype), ops::Operand{}, dtype});
    return take(b, y, K);
  };
}

Case linearCase(int M, int N, int K, ops::Dtype dtype, bool bias) {
  return [=](Bench& b) {
    Random random(static_cast<uint64_t>(M * 1000003 + N * 1009 + K));
    b.stage({{0, M}});
    const auto x = b.slot(normals(random, static_cast<size_t>(M) * static_cast<size_t>(K), 1), K);
    const auto w = b.linear(normals(random, static_cast<size_t>(N) * static_cast<size_t>(K), 0.1f), N, K, dtype);
    const auto y = b.empty(N);
    b.run(ops::Linear{y, x, w, bias ? b.vector(normals(random, static_cast<size_t>(N), 1)) : ops::Operand{}, dtype});
    return take(b, y, N);
  };
}

// All K and V are written, in steps of `chunk` tokens, and then the last `tokens` of each sequence attend.
Case attentionCase(std::vector<int> lengths, int tokens, int heads, int kvHeads, int D, int E, int blockSize, int window, ops::Dtype dtype) {
  return [=](Bench& b) {
    Random random(static_cast<uint64_t>(heads * 131 + D * 17 + window + lengths[0]));
    b.cache(lengths, kvHeads, D, E, blockSize, dtype);
    std::vector<Part> all, last;
    for (const int length : lengths) {
      all.push_back({0, length});
      last.push_back({length - tokens, tokens});
    }
    b.stage(all);
    const auto rows = static_cast<size_t>(b.rows());
    const auto k = b.slot(normals(random, rows * static_cast<size_t>(kvHeads * D), 1), kvHeads * D);
    const auto v = b.slot(normals(random, rows * static_cast<size_t>(kvHeads * E), 1), kvHeads * E);
    b.run(ops::KvWrite{k, v, kvHeads, 0, 0, dtype});
    b.stage(last);
    const auto q = b.slot(normals(random, static_cast<size_t>(b.rows() * heads * D), 1.5f), heads * D);
    const auto y = b.empty(heads * E);
    b.run(ops::Attention{y, q, heads, kvHeads, D, E, 1.f / __builtin_sqrtf(static_cast<float>(D)), window, 0, 0, dtype});
    return take(b, y, heads * E);
  };
}

Case encoderAttentionCase(std::vector<int> lengths, int heads, int kvHeads, int D, int E, int reach, ops::Dtype dtype) {
  return [=](Bench& b) {
    Random random(static_cast<uint64_t>(heads * 137 + D * 19 + reach + lengths[0]));
    std::vector<Part> all;
    for (const int length : lengths) all.push_back({0, length});
    b.stage(all);
    const auto rows = static_cast<size_t>(b.rows());
    const auto q = b.slot(normals(random, rows * static_cast<size_t>(heads * D), 1.5f), heads * D);
    const auto k = b.slot(normals(random, rows * static_cast<size_t>(kvHeads * D), 1), kvHeads * D);
    const auto v = b.slot(normals(random, rows * static_cast<size_t>(kvHeads * E), 1), kvHeads * E);
    const auto y = b.empty(heads * E);
    b.run(ops::EncoderAttention{y, q, k, v, heads, kvHeads, D, E, 1.f / __builtin_sqrtf(static_cast<float>(D)), reach, dtype});
    return take(b, y, heads * E);
  };
}

// Three sequences, the first of which goes on from a sum that is kept; the sums are part of the answer.
Case runningMeanCase(int H) {
  return [=](Bench& b) {
    Random random(static_cast<uint64_t>(H) + 3);
    b.stage({{7, 20}, {0, 5}, {0, 1}});
    Values sums = normals(random, static_cast<size_t>(2 * H), 3);
    const int32_t carries[] = {1, 0, -1};
    b.step.carries = carries;
    b.step.sums = sums.data();
    b.step.sumWidth = H;
    const auto x = b.slot(normals(random, static_cast<size_t>(b.rows() * H), 1), H), y = b.empty(H);
    b.run(ops::RunningMean{y, x});
    Values all = take(b, y, H);
    all.insert(all.end(), sums.begin(), sums.end());
    return all;
  };
}

Case normCase(int H, int kind) {
  return [=](Bench& b) {
    Random random(static_cast<uint64_t>(H));
    b.stage({{0, 3}});
    const auto n = static_cast<size_t>(H);
    const auto x = b.slot(normals(random, 3 * n, 2), H), residual = b.slot(normals(random, 3 * n, 2), H);
    const auto weight = b.vector(normals(random, n, 1)), bias = b.vector(normals(random, n, 1));
    const auto y = b.empty(H), sum = b.empty(H);
    if (kind == 0) b.run(ops::RmsNorm{y, x, weight, 1, 1e-5f});
    if (kind == 1) b.run(ops::LayerNorm{y, x, weight, bias, 1e-5f});
    if (kind == 2) b.run(ops::AddRmsNorm{sum, y, x, residual, weight, 1e-5f});
    if (kind == 3) b.run(ops::AddLayerNorm{sum, y, x, residual, weight, bias, 1e-5f});
    return take(b, y, H);
  };
}

Case activationCase(int kind) {
  return [=](Bench& b) {
    Random random(static_cast<uint64_t>(kind) + 5);
    b.stage({{0, 5}});
    Values input = normals(random, 5 * 1003, 4);
    const float edges[] = {0.f, -0.f, 1e-30f, 90.f, -90.f, 1e30f, -1e30f, 5.f, -5.f, -13.f};
    std::memcpy(input.data(), edges, sizeof edges);
    const auto gate = b.slot(input, 1003), up = b.slot(normals(random, 5 * 1003, 1), 1003), y = b.empty(1003);
    b.run(ops::GatedActivation{y, gate, up, kind});
    return take(b, y, 1003);
  };
}

Case ropeCase(int D, int R, int interleaved) {
  return [=](Bench& b) {
    Random random(static_cast<uint64_t>(D + R));
    b.stage({{0, 4}, {999990, 10}});
    Values frequency(static_cast<size_t>(R / 2));
    for (float& f : frequency) f = static_cast<float>(random.next() >> 40) * 0x1p-24f;
    const auto table = b.empty(R), x = b.slot(normals(random, static_cast<size_t>(b.rows() * 3 * D), 1), 3 * D), y = b.empty(3 * D);
    b.run(ops::Rotary{table, b.vector(frequency), 1.25f});
    b.run(ops::Rope{y, x, table, 3, interleaved});
    Values all = take(b, table, R), turned = take(b, y, 3 * D);
    all.insert(all.end(), turned.begin(), turned.end());
    return all;
  };
}

// Rounding of K and V at the borders of each type, read back.
Case roundCase(ops::Dtype dtype) {
  return [=](Bench& b) {
    Random random(77);
    b.cache({3}, 1, 40, 24, 16, dtype);
    b.stage({{0, 3}});
    Values k = normals(random, 120, 1);
    std::copy(borders.begin(), borders.end(), k.begin());
    k[borders.size()] = 3.4e38f;  // infinite in every narrower type
    const auto K = b.slot(k, 40), V = b.slot(normals(random, 72, 1), 24);
    b.run(ops::KvWrite{K, V, 1, 0, 0, dtype});
    Values all(3 * 64);
    for (int t = 0; t < 3; t++) b.kernels.readKv(b.layer, b.slotIds[static_cast<size_t>(t)], 0, all.data() + t * 64, all.data() + t * 64 + 40);
    return all;
  };
}

// Every kind of change to a row's logits, each row another mixture; some rows ask for none.
struct Edits {
  std::vector<int32_t> mask, allowed, biasStarts{0}, biasIds, badWordStarts{0}, badWords, historyStarts{0}, history, promptCounts;
  std::vector<uint32_t> masks;
  Values biasValues, repetition, presence, frequency;
  int words;

  Edits(Random& random, int rows, int vocabulary) : words((vocabulary + 31) / 32) {
    const auto token = [&] { return static_cast<int32_t>(random.next() % static_cast<uint64_t>(vocabulary)); };
    for (int r = 0; r < rows; r++) {
      mask.push_back(r % 4 == 1 ? addMask(random, 4) : -1);
      allowed.push_back(r % 6 == 2 ? addMask(random, 1) : -1);
      for (int i = 0; i < r % 5; i++) biasIds.push_back(token()), biasValues.push_back(i == 3 ? -__builtin_inff() : random.normal(4));
      for (int i = 0; i < (r % 4 < 2 ? r * 3 : 0); i++) history.push_back(token());
      // The row's own token, which ends its output, is r: the second word is forbidden there.
      if (r % 3 == 0) badWords.insert(badWords.end(), {1, token(), 2, r, token(), 2, token(), token()});
      repetition.push_back(r % 4 == 0 ? 1.3f : 1.f);
      presence.push_back(r % 8 == 1 ? 0.7f : 0.f);
      frequency.push_back(r % 8 < 2 ? -0.4f : 0.f);
      biasStarts.push_back(static_cast<int32_t>(biasIds.size()));
      badWordStarts.push_back(static_cast<int32_t>(badWords.size()));
      historyStarts.push_back(static_cast<int32_t>(history.size()));
      promptCounts.push_back((historyStarts[static_cast<size_t>(r) + 1] - historyStarts[static_cast<size_t>(r)]) / 2);
    }
  }
  // `density` of 4: one word in four has every bit, one none, the others some.
  int32_t addMask(Random& random, uint64_t density) {
    const auto row = static_cast<int32_t>(masks.size()) / words;
    for (int i = 0; i < words; i++) {
      const auto bits = static_cast<uint32_t>(random.next());
      masks.push_back(bits % density == 1 ? 0xffffffffu : bits % density == 2 ? 0u : bits);
    }
    return row;
  }
  StepEdits view() const {
    return {mask.data(),          allowed.data(),    masks.data(),      words,
            biasStarts.data(),    biasIds.data(),    biasValues.data(), badWordStarts.data(),
            badWords.data(),      repetition.data(), presence.data(),   frequency.data(),
            historyStarts.data(), history.data(),    promptCounts.data()};
  }
};

// 40 draws and one target over a vocabulary, with logprobs.
Case sampleCase(int vocabulary, bool edited) {
  return [=](Bench& b) {
    Random random(static_cast<uint64_t>(vocabulary));
    constexpr int R = 41, top = 5;
    b.stage({{0, R}});
    Values logits = normals(random, static_cast<size_t>(R * vocabulary), 3);
    std::vector<int32_t> index(R), target(R, -1), logprobs(R, top), topK(R), tokens(R), ranks(R), topTokens(R * top);
    std::vector<float> temperature(R), topP(R), minP(R), chosen(R), topLogprobs(R * top);
    std::vector<uint32_t> seed(2 * R), counter(R);
    std::vector<uint8_t> faults(R);
    for (int r = 0; r < R; r++) {
      const auto at = static_cast<size_t>(r);
      temperature[at] = r % 5 == 0 ? 0.f : 0.5f + static_cast<float>(r % 4) * 0.3f;
      topK[at] = r % 3 == 0 ? 20 : 0;
      topP[at] = r % 2 == 0 ? 0.9f : 1.f;
      minP[at] = r % 7 == 0 ? 0.02f : 0.f;
      seed[2 * at] = static_cast<uint32_t>(random.next());
      seed[2 * at + 1] = static_cast<uint32_t>(r);
      counter[at] = static_cast<uint32_t>(r * 3);
    }
    target[R - 1] = vocabulary / 2;
    logits[static_cast<size_t>(2 * vocabulary)] = __builtin_inff();
    for (int r = 0; r < R; r++) index[static_cast<size_t>(r)] = r;
    const Edits edits(random, R, vocabulary);
    const StepEdits view = edits.view();
    StepView step{};
    step.tokens = index.data();  // row r's own token is r
    step.rows = {index.data(), target.data(), logprobs.data(), temperature.data(), topK.data(), topP.data(), minP.data(), seed.data(), counter.data(), edited ? &view : nullptr};
    StepOutput output{top, tokens.data(), chosen.data(), ranks.data(), faults.data(), topTokens.data(), topLogprobs.data()};
    Context context{&step, nullptr, nullptr, nullptr, &b.tiles, &b.memory, R, 0};
    b.kernels.sample({logits.data(), vocabulary, R, vocabulary}, 0, output, context);
    Values all = chosen;
    all.insert(all.end(), topLogprobs.begin(), topLogprobs.end());
    for (size_t i = 0; i < R; i++) all.push_back(static_cast<float>(tokens[i])), all.push_back(static_cast<float>(ranks[i])), all.push_back(faults[i]);
    for (const int32_t t : topTokens) all.push_back(static_cast<float>(t));
    return all;
  };
}

std::map<std::string, Case> allCases() {
  std::map<std::string, Case> cases;
  const char* names[] = {"float32", "bfloat16", "float16"};
  for (const auto dtype : {ops::Dtype::float32, ops::Dtype::bfloat16, ops::Dtype::float16}) {
    const std::string name = names[static_cast<int>(dtype)];
    for (const int M : {1, 2, 3, 4, 5, 9, 33, 250}) cases["linear " + name + " M=" + std::to_string(M)] = linearCase(M, 150, 96, dtype, true);
    cases["linear " + name + " odd K"] = linearCase(7, 40, 33, dtype, false);
    cases["linear " + name + " borders"] = borderCase(dtype);
    cases["linear " + name + " long K"] = linearCase(50, 48, 2100, dtype, false);
    cases["attention " + name + " prefill"] = attentionCase({70, 9}, 9, 4, 2, 64, 64, 16, 0, dtype);
    cases["attention " + name + " whole prompt"] = attentionCase({130}, 130, 6, 3, 32, 32, 32, 0, dtype);
    cases["attention " + name + " decode"] = attentionCase({700, 64, 1}, 1, 8, 2, 128, 128, 16, 0, dtype);
    cases["attention " + name + " long"] = attentionCase({1500}, 2, 4, 1, 24, 40, 128, 0, dtype);
    cases["attention " + name + " window"] = attentionCase({900, 50}, 3, 4, 4, 80, 80, 16, 100, dtype);
    cases["attention " + name + " D=256"] = attentionCase({40}, 7, 2, 1, 256, 256, 64, 0, dtype);
    cases["attention " + name + " D=16"] = attentionCase({100}, 5, 9, 3, 16, 16, 16, 0, dtype);
    cases["kvWrite " + name] = roundCase(dtype);
    cases["encoderAttention " + name] = encoderAttentionCase({70, 9, 64, 1}, 4, 2, 32, 32, 0, dtype);
    cases["encoderAttention " + name + " D=20 E=40"] = encoderAttentionCase({33, 17}, 3, 3, 20, 40, 0, dtype);
    cases["encoderAttention " + name + " reach"] = encoderAttentionCase({200, 12}, 2, 2, 64, 64, 9, dtype);
    cases["encoderAttention " + name + " long"] = encoderAttentionCase({1100}, 1, 1, 16, 16, 0, dtype);
  }
  const char* norms[] = {"rmsNorm", "layerNorm", "addRmsNorm", "addLayerNorm"};
  for (int kind = 0; kind < 4; kind++)
    for (const int H : {64, 100, 7}) cases[std::string(norms[kind]) + " H=" + std::to_string(H)] = normCase(H, kind);
  for (const int H : {64, 100, 7}) cases["runningMean H=" + std::to_string(H)] = runningMeanCase(H);
  const char* kinds[] = {"relu", "silu", "gelu", "geluTanh", "tanh", "sigmoid"};
  for (int kind = 0; kind < 6; kind++) cases[std::string("gatedActivation ") + kinds[kind]] = activationCase(kind);
  cases["rope D=64"] = ropeCase(64, 64, 0);
  cases["rope D=80 R=24"] = ropeCase(80, 24, 0);
  cases["rope interleaved"] = ropeCase(32, 32, 1);
  for (const int V : {500, 5000}) {
    cases["sample V=" + std::to_string(V)] = sampleCase(V, false);
    cases["sample V=" + std::to_string(V) + " edited"] = sampleCase(V, true);
  }
  return cases;
}

std::string digest(const Values& values) {  // FNV-1a, 64 bits
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const float value : values) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; i++) hash = (hash ^ ((bits >> (8 * i)) & 255u)) * 0x100000001b3ull;
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

int write(const char* path) {
  std::ofstream file(path);
  file << "{";
  const char* separator = "\n";
  for (const auto& [name, test] : allCases()) {
    Bench bench(selectKernels("portable"), false);
    file << separator << "  \"" << name << "\": \"" << digest(test(bench)) << "\"";
    separator = ",\n";
  }
  file << "\n}\n";
  return file.good() ? 0 : 1;
}

int check(const char* path) {
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  int failures = 0, checked = 0;
  for (const char* isa : families) {
    const KernelTable* kernels = nullptr;
    try {
      kernels = &selectKernels(isa);
    } catch (const std::exception& e) {
      std::printf("left out: %s\n", e.what());
      continue;
    }
    for (const auto& [name, test] : allCases())
      for (const bool scrambled : {false, true}) {
        Bench bench(*kernels, scrambled);
        const std::string found = digest(test(bench));
        checked++;
        if (text.find("\"" + name + "\": \"" + found + "\"") != std::string::npos) continue;
        failures++;
        std::printf("%s, %s%s: made %s, which is not the digest in %s\n", isa, name.c_str(), scrambled ? " (scrambled)" : "", found.c_str(), path);
      }
  }
  std::printf("%d digests checked, %d differ\n", checked, failures);
  return failures == 0 && checked > 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  flushDenormals();
  return count > 1 && std::strcmp(arguments[1], "--write") == 0 ? write("digests.json") : check("digests.json");
}
