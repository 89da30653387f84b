#include "storage/directory_lock.hpp"

#include "storage/files.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace troupe::storage {
namespace {

std::string holder_of(int descriptor) {
  std::array<char, 24> digits{};
  const auto count = ::pread(descriptor, digits.data(), digits.size(), 0);
  std::string text(digits.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  text.erase(text.find_last_not_of(" \n") + 1);
  return text.empty() ? "another process" : "process " + text;
}

} // namespace

result<directory_lock> directory_lock::take(const std::string& directory, std::string_view what) {
  const auto path = directory + '/' + std::string{name};
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return failure_of("cannot open " + path, errno);
  directory_lock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return failure(errc::already_exists, "the " + std::string{what} + ' ' + directory
                                               + " is in use by " + holder_of(descriptor));
    return failure_of("cannot lock " + path, errno);
  }
  // Only for the words of whoever comes second: a failed write changes nothing.
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) == 0 && ::pwrite(descriptor, pid.data(), pid.size(), 0) < 0)
    (void)::ftruncate(descriptor, 0);
  return lock;
}

directory_lock::~directory_lock() {
  release();
}

void directory_lock::release() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
  descriptor_ = -1;
}

directory_lock::directory_lock(directory_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

} // namespace troupe::storage
