#include "http/detail/unix_socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe::http::detail {

namespace {

constexpr mode_t owner_only = 0600;
constexpr int backlog = 1'024;

/// Closes what it holds.
class descriptor {
public:
  explicit descriptor(int number) : number_(number) {}
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

private:
  int number_;
};

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

failure cannot_use(const std::string& path, int error) {
  auto code = errc::invalid_argument;
  if (error == EACCES || error == EPERM || error == EROFS)
    code = errc::permission;
  else if (error == ENOENT)
    code = errc::not_found;
  else if (error == ENOSPC || error == EDQUOT)
    code = errc::storage_full;
  else if (error == EADDRINUSE)
    code = errc::already_exists;
  return failure{code, "cannot use the socket " + path + ": " + std::strerror(error)};
}

failure taken(const std::string& path, std::string_view by) {
  return failure{errc::already_exists, "cannot listen on " + path + ": " + std::string{by}};
}

descriptor make_socket() {
  return descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
}

/// Makes room for a new socket at `path`, if nobody uses what is there.
result<void> clear(const std::string& path, const unix_address& where) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0)
    return errno == ENOENT ? result<void>{} : cannot_use(path, errno);
  if (!S_ISSOCK(there.st_mode))
    return taken(path, "there is a file that is not a socket");
  const auto caller = make_socket();
  if (caller.get() < 0)
    return cannot_use(path, errno);
  if (::connect(caller.get(), where.data(), where.size()) == 0 || errno == EAGAIN)
    return taken(path, "another process listens there");
  if (errno != ECONNREFUSED && errno != ENOENT)
    return cannot_use(path, errno); // perhaps a live one of somebody else
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return cannot_use(path, errno);
  return {};
}

} // namespace

// --- unix_address

result<unix_address> unix_address::of(const std::string& path) {
  const auto name = name_of(path);
  if (name.empty() || path.find('\0') != std::string::npos)
    return failure{errc::invalid_argument, "'" + path + "' cannot be the path of a socket"};
  unix_address made;
  made.address_.sun_family = AF_UNIX;
  auto text = path;
  if (text.size() >= sizeof made.address_.sun_path) {
    made.directory_ = ::open(directory_of(path).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (made.directory_ < 0)
      return cannot_use(path, errno);
    text = "/proc/self/fd/" + std::to_string(made.directory_) + "/" + name;
  }
  if (text.size() >= sizeof made.address_.sun_path)
    return failure{errc::invalid_argument,
                   "'" + path + "' cannot be the path of a socket: its last name is too long"};
  text.copy(made.address_.sun_path, text.size());
  return made;
}

unix_address::~unix_address() {
  if (directory_ >= 0)
    ::close(directory_);
}

unix_address::unix_address(unix_address&& other) noexcept
    : address_(other.address_), directory_(std::exchange(other.directory_, -1)) {}

const sockaddr* unix_address::data() const {
  return reinterpret_cast<const sockaddr*>(&address_);
}

// --- socket_file

socket_file::socket_file(std::string path, dev_t device, ino_t inode)
    : path_(std::move(path)), device_(device), inode_(inode) {}

socket_file::socket_file(socket_file&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

void socket_file::remove() {
  const auto path = std::exchange(path_, {});
  struct stat there {};
  if (!path.empty() && ::lstat(path.c_str(), &there) == 0 && there.st_dev == device_
      && there.st_ino == inode_)
    ::unlink(path.c_str());
}

// --- listening

result<unix_listener> listen_on_path(const std::string& path) {
  const auto where = unix_address::of(path);
  if (!where)
    return where.error();
  // Two that begin at once must not take each other's new socket for one left behind: between
  // `bind` and `listen` it refuses connections just like that. The lock ends with the scope.
  const descriptor directory{
      ::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.get() < 0)
    return cannot_use(path, errno);
  if (::flock(directory.get(), LOCK_EX | LOCK_NB) != 0)
    return taken(path, "another process holds a lock on its directory");
  if (const auto cleared = clear(path, *where); !cleared)
    return cleared.error();
  auto socket = make_socket();
  if (socket.get() < 0)
    return cannot_use(path, errno);
  // The file gets the socket's own mode (less the umask), so it is closed to others from the
  // first moment. A umask for this alone would be the whole process's.
  ::fchmod(socket.get(), owner_only);
  if (::bind(socket.get(), where->data(), where->size()) != 0)
    return cannot_use(path, errno);
  struct stat made {};
  if (::lstat(path.c_str(), &made) != 0)
    return cannot_use(path, errno);
  socket_file file{path, made.st_dev, made.st_ino};
  // A umask may have taken the owner's bits. Nobody can connect before `listen`.
  const bool good = (made.st_mode & 07777) == owner_only || ::chmod(path.c_str(), owner_only) == 0;
  if (!good || ::listen(socket.get(), backlog) != 0) {
    const int error = errno;
    file.remove();
    return cannot_use(path, error);
  }
  return unix_listener{socket.release(), std::move(file)};
}

std::string local_peer(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return "local";
  return "local uid " + std::to_string(who.uid);
}

} // namespace troupe::http::detail
