#include "storage/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::storage {

namespace fs = std::filesystem;

namespace {

/// Closes with its scope.
struct descriptor {
  int number;
  explicit descriptor(int n) : number(n) {}
  ~descriptor() {
    if (number >= 0)
      ::close(number);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
};

std::string above(const std::string& path) {
  const auto parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

} // namespace

errc code_of_errno(int number) {
  switch (number) {
  case ENOSPC:
  case EFBIG:
  case EDQUOT:
    return errc::storage_full;
  case EACCES:
  case EPERM:
  case EROFS:
    return errc::permission;
  default:
    return errc::storage_failed;
  }
}

failure failure_of(const std::string& doing, int number) {
  const auto code = code_of_errno(number);
  auto text = doing + ": " + std::strerror(number);
  if (code == errc::permission)
    text += "; make it writable for the user that runs troupe, or name another data directory";
  if (code == errc::storage_full)
    text += "; make room: it goes on by itself";
  return {code, std::move(text)};
}

result<void> make_file(const std::string& path) {
  const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (file.number < 0 || ::fsync(file.number) != 0)
    return failure_of("cannot make " + path, errno);
  return sync_directory(above(path));
}

result<void> make_directory(const std::string& directory) {
  std::error_code code;
  if (fs::is_directory(directory, code))
    return {};
  if (!fs::create_directories(directory, code) && code)
    return failure_of("cannot create the directory " + directory, code.value());
  fs::permissions(directory, fs::perms::owner_all, code);
  return {};
}

result<void> sync_directory(const std::string& directory) {
  const descriptor d(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (d.number < 0 || ::fsync(d.number) != 0)
    return failure_of("cannot sync " + directory, errno);
  return {};
}

result<void> sync_files_in(const std::string& directory) {
  for (const auto& name : names_in(directory)) {
    const descriptor file(::open((directory + '/' + name).c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number < 0 || ::fsync(file.number) != 0)
      return failure_of("cannot sync " + directory + '/' + name, errno);
  }
  return sync_directory(directory);
}

result<void> put_in_place(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    return failure_of("cannot rename " + from + " to " + to, errno);
  return sync_directory(above(to));
}

result<void> has_room(const std::string& directory, std::size_t bytes) {
  const auto path = directory + "/room";
  const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.number < 0)
    return failure_of("cannot write to " + directory, errno);
  const std::string filling(bytes, '\0');
  const auto written = ::write(file.number, filling.data(), filling.size());
  const int why = written < 0 ? errno : ENOSPC;
  ::unlink(path.c_str());
  if (written != static_cast<ssize_t>(bytes))
    return failure_of("cannot write to " + directory, why);
  return {};
}

std::string free_name(const std::string& path) {
  for (int i = 1;; ++i) {
    auto name = path + '-' + std::to_string(i);
    if (!exists(name))
      return name;
  }
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void remove_all(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

void close_to_others(const std::string& directory) {
  std::error_code code;
  fs::permissions(directory, fs::perms::owner_all, code);
  for (auto at = fs::recursive_directory_iterator(directory, code);
       !code && at != fs::recursive_directory_iterator{}; at.increment(code)) {
    // Whoever prepared the directory may have put links to other files there.
    std::error_code ignored;
    if (at->is_symlink(ignored))
      continue;
    fs::permissions(at->path(),
                    at->is_directory(ignored) ? fs::perms::owner_all
                                              : fs::perms::owner_read | fs::perms::owner_write,
                    ignored);
  }
}

result<std::string> read_file(const std::string& path) {
  constexpr std::size_t page = 4096;
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  if (file.number < 0 || ::fstat(file.number, &about) != 0)
    return failure_of("cannot read " + path, errno);
  std::string bytes(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t at = 0;
  std::size_t step = bytes.size();
  while (at < bytes.size()) {
    const auto wanted = std::min(step, bytes.size() - at);
    const auto got = ::pread(file.number, bytes.data() + at, wanted, static_cast<off_t>(at));
    if (got > 0) {
      at += static_cast<std::size_t>(got);
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else if (got < 0 && errno == EIO) {
      // From here page by page; one that stays unreadable is left as zeros.
      if (step == page)
        at += page - at % page;
      step = page;
    } else {
      return failure_of("cannot read " + path, got < 0 ? errno : EIO);
    }
  }
  return bytes;
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code code;
  for (auto at = fs::directory_iterator(directory, code); !code && at != fs::directory_iterator{};
       at.increment(code))
    names.push_back(at->path().filename().string());
  std::ranges::sort(names);
  return names;
}

} // namespace troupe::storage
