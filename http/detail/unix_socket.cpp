#include "http/detail/unix_socket.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe::http::detail {

namespace {

constexpr int backlog = 128;

failure cannot(const std::string& path, int error) {
  const auto code = error == EADDRINUSE                                   ? errc::already_exists
                    : error == EACCES || error == EPERM || error == EROFS ? errc::permission
                    : error == ENOENT                                     ? errc::not_found
                                                                          : errc::invalid_argument;
  const std::string why =
      error == EADDRINUSE ? "another process answers there" : std::strerror(error);
  return {code, "cannot listen on " + path + ": " + why};
}

/// Whether the file is a socket that nobody listens on any more.
bool abandoned(const unix_address& at) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0)
    return false;
  const bool refused = ::connect(probe, at.data(), at.size()) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return refused;
}

} // namespace

result<unix_address> unix_address::of(const std::string& path) {
  unix_address made;
  made.address_.sun_family = AF_UNIX;
  auto reached = path;
  if (path.size() >= sizeof made.address_.sun_path) {
    const auto slash = path.rfind('/');
    const auto directory =
        slash == std::string::npos ? std::string{"."} : path.substr(0, slash + 1);
    made.directory_ = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (made.directory_ < 0)
      return failure{errno == EACCES ? errc::permission : errc::not_found,
                     directory + ": " + std::strerror(errno)};
    reached = "/proc/self/fd/" + std::to_string(made.directory_) + '/' + path.substr(slash + 1);
  }
  if (reached.size() >= sizeof made.address_.sun_path || reached.find('\0') != std::string::npos)
    return failure{errc::invalid_argument, path + ": no name for a socket"};
  std::memcpy(made.address_.sun_path, reached.data(), reached.size());
  return made;
}

unix_address::~unix_address() {
  if (directory_ >= 0)
    ::close(directory_);
}

unix_address::unix_address(unix_address&& other) noexcept
    : address_(other.address_), directory_(std::exchange(other.directory_, -1)) {}

result<int> listen_on_path(const std::string& path) {
  const auto at = unix_address::of(path);
  if (!at)
    return at.error();
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0)
    return cannot(path, errno);
  // The file gets its mode from the socket's when it is bound: no moment in which others may.
  ::fchmod(socket, S_IRUSR | S_IWUSR);
  int bound = ::bind(socket, at->data(), at->size());
  if (bound != 0 && errno == EADDRINUSE && abandoned(*at)) {
    ::unlink(path.c_str());
    bound = ::bind(socket, at->data(), at->size());
  }
  if (bound != 0 || ::listen(socket, backlog) != 0) {
    const int error = errno;
    ::close(socket);
    return cannot(path, error);
  }
  return socket;
}

void leave_path(const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) == 0 && S_ISSOCK(about.st_mode))
    ::unlink(path.c_str());
}

std::string local_peer(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return "local";
  return "local uid " + std::to_string(who.uid);
}

} // namespace troupe::http::detail
