// Owned address space: anonymous zeroed memory and read-only file mappings.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace millrace {

// Zeroed pages that the system gives on first touch. Throws MemoryError when the address space is refused.
class Memory {
 public:
  Memory() = default;
  Memory(size_t bytes, bool hugePages);
  Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Memory& operator=(Memory&& other) noexcept;
  ~Memory();
  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

// A file mapped read-only. While it is mapped, truncating the file kills the process: map no longer than needed.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  MappedFile(MappedFile&& other) noexcept
      : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  // The range's first byte; throws CheckpointError when the file does not hold all of it.
  const std::byte* range(int64_t offset, int64_t bytes, const std::string& what) const;
  // Gives the range's pages back: they count no more until they are read again.
  void forget(int64_t offset, int64_t bytes) const;

 private:
  std::string path_;
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace millrace
