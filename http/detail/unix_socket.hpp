#pragma once

#include "protocol/base/result.hpp"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include <string>
#include <utility>

/// Unix-domain stream sockets: names in the file system whose permissions decide who may
/// connect. So a client on the same machine needs no secret to be trusted.
///
/// The kernel's addresses hold 107 bytes, and directories have longer names. Such a path is
/// reached through its opened directory, as `/proc/self/fd/N/name`.

namespace troupe::http::detail {

/// A path as the kernel takes it. Good while this lives, as it may hold the directory open.
class unix_address {
public:
  /// Fails with `invalid_argument` for a path that cannot be one of a socket, and with
  /// `not_found` or `permission` for a directory that cannot be opened.
  static result<unix_address> of(const std::string& path);

  ~unix_address();
  unix_address(unix_address&& other) noexcept;
  unix_address& operator=(unix_address&&) = delete;

  const sockaddr* data() const;
  socklen_t size() const { return sizeof address_; }

private:
  unix_address() = default;

  sockaddr_un address_{};
  int directory_ = -1; ///< -1: the path fits
};

/// The name of a socket that this process has bound. Whoever owns it removes it.
class socket_file {
public:
  socket_file() = default; ///< of a socket without a name in the file system
  socket_file(std::string path, dev_t device, ino_t inode);
  socket_file(socket_file&& other) noexcept;
  socket_file& operator=(socket_file&&) = delete;

  /// Once, and before the socket is closed: until then its inode is not given away, so that
  /// a file which others have put there meanwhile is told from ours, and stays.
  void remove();

private:
  std::string path_; ///< empty: there is nothing to remove
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct unix_listener {
  int socket;
  socket_file file;

  unix_listener(int s, socket_file f) : socket(s), file(std::move(f)) {}
};

/// A non-blocking socket that listens at `path`, which only this user (and root) can connect
/// to. A socket file there on which nobody listens is taken for what a killed process has
/// left behind, and replaced. Fails with `already_exists` if somebody listens, or the file is
/// no socket; otherwise as `unix_address::of`, or with `permission`, `storage_full` or
/// `invalid_argument`. The text names the path.
result<unix_listener> listen_on_path(const std::string& path);

/// Who has connected: `local uid N`.
std::string local_peer(int socket);

} // namespace troupe::http::detail
