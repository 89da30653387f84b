#pragma once

#include "protocol/base/result.hpp"

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The client's side of TLS without a socket: bytes from the wire go in, bytes for the wire
/// come out. Done on OpenSSL's memory BIOs rather than on Asio's stream, so that plain and
/// encrypted connections share every line that reads, waits and times out.

namespace troupe::http::detail {

struct ssl_deleter {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(SSL_SESSION* p) const { SSL_SESSION_free(p); }
};

/// What lets the next handshake with one origin be a short one. A TLS 1.3 ticket is used
/// once; a session of older versions again and again. Loop's thread.
class tls_sessions {
public:
  static constexpr std::size_t sessions_max = 8;

  using session = std::unique_ptr<SSL_SESSION, ssl_deleter>;

  void remember(session s);
  session take();

private:
  std::vector<session> kept_; ///< the newest last
};

/// What all connections of one client share.
class tls_context {
public:
  /// `ca_file` empty: the system's. Fails with `tls_failed`.
  static result<std::unique_ptr<tls_context>> make(const std::string& ca_file, bool verify);

  bool verifies() const { return verify_; }
  SSL_CTX* native() const { return context_.get(); }

private:
  tls_context(std::unique_ptr<SSL_CTX, ssl_deleter> context, bool verify)
      : context_(std::move(context)), verify_(verify) {}

  std::unique_ptr<SSL_CTX, ssl_deleter> context_;
  bool verify_;
};

class tls_stream {
public:
  /// Asks for, and checks the certificate against, `host`: a name or an address.
  /// `sessions` outlives the stream. With `under`, the wire is what passes through that one: TLS
  /// with an upstream within TLS with a proxy.
  tls_stream(const tls_context& context, const std::string& host, tls_sessions& sessions,
             std::unique_ptr<tls_stream> under = nullptr);
  ~tls_stream();
  tls_stream(const tls_stream&) = delete;
  tls_stream& operator=(const tls_stream&) = delete;

  enum class progress : std::uint8_t { done, wants_input, failed };

  /// Goes on with the handshake; there may be bytes for the wire in every case.
  progress shake_hands();

  /// Why the handshake failed, for people.
  std::string problem() const;

  /// Bytes from the wire.
  void feed(std::string_view wire);

  struct plain {
    enum class state : std::uint8_t { bytes, wants_input, closed, failed };
    state is;
    std::size_t bytes = 0;
  };

  /// Decrypts up to `size` bytes. `closed`: the other side said that it sends no more.
  plain decrypt(char* out, std::size_t size);

  /// False: the connection is beyond use.
  bool encrypt(std::string_view text);

  bool has_wire() const;

  /// Replaces `out` by what must be sent. False: the connection is beyond use.
  bool take_wire(std::string& out);

private:
  void feed_own(std::string_view wire);

  std::unique_ptr<tls_stream> under_;
  std::unique_ptr<SSL, ssl_deleter> ssl_;
  BIO* from_wire_; ///< owned by `ssl_`, like the other
  BIO* to_wire_;
  unsigned long last_error_ = 0;
};

/// Whether `host` is an address, for which no name is shown to the upstream.
bool is_address(const std::string& host);

} // namespace troupe::http::detail
