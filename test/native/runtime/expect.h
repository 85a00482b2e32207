// The least a native test needs: promises that print when they break.
#pragma once
#include <cstdio>
#include <exception>
#include <string>

namespace millrace::test {

inline int broken = 0;

inline void expect(bool held, const std::string& promise) {
  if (held) return;
  broken++;
  std::printf("broken: %s\n", promise.c_str());
}

// `call` throws an E whose message holds `part`.
template <class E, class Call>
void expectThrow(Call&& call, const std::string& part, const std::string& promise) {
  try {
    call();
  } catch (const E& e) {
    return expect(std::string(e.what()).find(part) != std::string::npos, promise + ": says instead: " + e.what());
  } catch (const std::exception& e) {
    return expect(false, promise + ": throws another error: " + e.what());
  }
  expect(false, promise + ": nothing is thrown");
}

}  // namespace millrace::test
