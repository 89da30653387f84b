#pragma once

#include "protocol/base/result.hpp"

#include <string>

#include <sys/socket.h>
#include <sys/un.h>

namespace troupe::http::detail {

/// The address of a socket file. A path that is too long for the kernel's structure is reached
/// through its directory, which is open while this lives.
class unix_address {
public:
  /// Fails with `not_found` or `permission` if the directory of a long path cannot be opened.
  static result<unix_address> of(const std::string& path);
  ~unix_address();
  unix_address(unix_address&& other) noexcept;
  unix_address& operator=(unix_address&&) = delete;

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return sizeof address_; }

private:
  unix_address() = default;

  sockaddr_un address_{};
  int directory_ = -1;
};

/// A listening, non-blocking socket at `path` that only its owner (and root) can open. A file
/// that an ended process left there is replaced; `already_exists` if a process answers on it.
result<int> listen_on_path(const std::string& path);

/// Removes the socket file. Nobody else can have bound there meanwhile.
void leave_path(const std::string& path);

/// `local uid 1000`: who is at the other end of an accepted socket.
std::string local_peer(int socket);

} // namespace troupe::http::detail
