#pragma once

#include "protocol/base/result.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace troupe::http::detail {

/// Result of a step on a TLS session over a non-blocking socket.
enum class tls_step { ok, wants_read, wants_write, ended, broken };

/// One TLS connection over a socket it does not own. Loop's thread.
class tls_session {
public:
  virtual ~tls_session() = default;

  virtual tls_step handshake() = 0;
  virtual tls_step read(char* to, std::size_t size, std::size_t& got) = 0;
  virtual tls_step write(const char* from, std::size_t size, std::size_t& sent) = 0;

  /// Sends the end of the stream, without waiting for the peer's.
  virtual void send_end() = 0;
};

/// Certificate and key of a listener. Thread-safe once made.
class tls_server {
public:
  /// Reads PEM files. TLS 1.2 or newer, no renegotiation. Fails with `invalid_argument`.
  static result<std::unique_ptr<tls_server>> load(const std::string& certificate_chain,
                                                  const std::string& private_key);

  virtual ~tls_server() = default;

  /// Nothing when memory is short.
  virtual std::unique_ptr<tls_session> accept(int socket) = 0;
};

} // namespace troupe::http::detail
