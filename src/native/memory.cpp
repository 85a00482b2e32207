#include "memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "errors.h"

namespace millrace {

Memory::Memory(size_t bytes, bool hugePages) : bytes_(bytes) {
  if (bytes == 0) return;
  void* at = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw MemoryError("the system refuses " + std::to_string(bytes) + " bytes: " + strerror(errno));
  data_ = static_cast<std::byte*>(at);
#ifdef MADV_HUGEPAGE
  if (hugePages) madvise(at, bytes, MADV_HUGEPAGE);
#else
  (void)hugePages;
#endif
}

Memory& Memory::operator=(Memory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Memory::~Memory() {
  if (data_) munmap(data_, bytes_);
}

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw CheckpointError(path + " cannot be opened: " + strerror(errno));
  struct stat facts{};
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    close(file);
    throw CheckpointError(path + " is no regular file");
  }
  bytes_ = static_cast<size_t>(facts.st_size);
  void* at = bytes_ == 0 ? nullptr : mmap(nullptr, bytes_, PROT_READ, MAP_PRIVATE, file, 0);
  const int why = errno;
  close(file);
  if (at == MAP_FAILED) throw CheckpointError(path + " cannot be mapped: " + strerror(why));
  data_ = static_cast<std::byte*>(at);
  if (data_) madvise(data_, bytes_, MADV_WILLNEED);
}

MappedFile::~MappedFile() {
  if (data_) munmap(data_, bytes_);
}

const std::byte* MappedFile::range(int64_t offset, int64_t bytes, const std::string& what) const {
  const auto size = static_cast<int64_t>(bytes_);
  if (offset < 0 || bytes < 0 || offset > size || bytes > size - offset)
    throw CheckpointError(what + " lies at bytes [" + std::to_string(offset) + ", +" + std::to_string(bytes) + ") of " + path_ +
                          ", which has " + std::to_string(size));
  return data_ + offset;
}

void MappedFile::forget(int64_t offset, int64_t bytes) const {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t begin = (offset + page - 1) / page * page;
  const int64_t end = (offset + bytes) / page * page;
  if (end > begin) madvise(data_ + begin, static_cast<size_t>(end - begin), MADV_DONTNEED);
}

}  // namespace millrace
