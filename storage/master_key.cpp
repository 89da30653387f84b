#include "storage/master_key.hpp"

#include "storage/random.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::storage {

namespace {

constexpr std::size_t file_bytes_max = 256;

class descriptor {
public:
  explicit descriptor(int d) : d_(d) {}
  ~descriptor() {
    if (d_ >= 0)
      ::close(d_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  operator int() const { return d_; }

private:
  int d_;
};

failure cannot(const char* what, const std::string& path) {
  const auto code = errno == ENOSPC || errno == EFBIG   ? errc::storage_full
                    : errno == EACCES || errno == EROFS ? errc::permission
                                                        : errc::storage_failed;
  return {code,
          std::string{"cannot "} + what + " the master key " + path + ": " + std::strerror(errno)};
}

result<void> sync_directory_of(const std::string& path) {
  auto directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty())
    directory = ".";
  const descriptor d{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (d < 0 || ::fsync(d) != 0)
    return cannot("keep", path);
  return {};
}

result<void> write_draft(const std::string& path, const key_bytes& k) {
  const descriptor d{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (d < 0)
    return cannot("make", path);
  const auto digits = print_key_bytes(k);
  std::array<char, 2 * key_bytes::size + 1> text{};
  std::ranges::copy(digits.reveal(), text.begin());
  text.back() = '\n';
  const auto count = ::write(d, text.data(), text.size());
  OPENSSL_cleanse(text.data(), text.size());
  if (count >= 0 && count != static_cast<ssize_t>(text.size()))
    errno = ENOSPC; // what a part of so short a text means
  if (count != static_cast<ssize_t>(text.size()) || ::fsync(d) != 0)
    return cannot("write", path);
  return {};
}

/// Gives a file another name, if that is not taken; `errno` tells why not.
bool give_name(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0)
    return true;
  if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
    return false;
  // A file system without links. Who makes the same name at this very moment loses his file:
  // there is no better way there.
  if (::access(to.c_str(), F_OK) == 0) {
    errno = EEXIST;
    return false;
  }
  return ::rename(from.c_str(), to.c_str()) == 0;
}

} // namespace

result<std::optional<key_bytes>> read_key_file(const std::string& path) {
  const descriptor d{
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)}; // never waits for a pipe
  if (d < 0 && errno == ENOENT)
    return std::optional<key_bytes>{};
  struct stat about {};
  if (d < 0 || ::fstat(d, &about) != 0)
    return cannot("read", path);
  if (!S_ISREG(about.st_mode))
    return failure{errc::invalid_argument, "the master key " + path + " is not a file"};
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return failure{errc::permission, "others may read the master key " + path
                                         + ": run chmod 600 on it, and think of who may have"};
  std::array<char, file_bytes_max> text{};
  const auto count = ::read(d, text.data(), text.size());
  if (count < 0)
    return cannot("read", path);
  auto k = parse_key_bytes({text.data(), static_cast<std::size_t>(count)});
  OPENSSL_cleanse(text.data(), text.size());
  if (!k)
    return failure{errc::invalid_argument,
                   path
                       + " holds no master key: 64 hex digits, or base64, of 32 "
                         "bytes, as openssl rand -hex 32 makes them"};
  return k;
}

result<void> write_key_file(const std::string& path, const key_bytes& k) {
  // Under a name of its own until it is whole: a process that ends half way must not leave half
  // a key where the next one looks for it.
  constexpr std::size_t name_bytes = 4;
  const auto draft = path + '.' + random_hex(name_bytes);
  auto done = write_draft(draft, k);
  if (done && !give_name(draft, path))
    done = errno == EEXIST
               ? failure{errc::already_exists, "the master key " + path + " is there already"}
               : cannot("make", path);
  ::unlink(draft.c_str());
  return done ? sync_directory_of(path) : done;
}

result<void> move_key_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return cannot("replace", to);
  return sync_directory_of(to);
}

std::string next_file(const std::string& path) {
  return path + ".next";
}

} // namespace troupe::storage
