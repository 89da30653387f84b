#pragma once

#include "http/event_loop.hpp"
#include "http/exchange.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::http {

struct tls_files {
  std::string certificate_chain; ///< path, PEM
  std::string private_key;       ///< path, PEM
};

struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080; ///< 0: any free one, see `server::port`

  /// Instead of address and port, and without TLS: a socket file, which only its owner (and root)
  /// can open. Peers are `local uid N`. A file that a killed process has left is replaced; ours
  /// goes as soon as nothing is accepted any more.
  std::string unix_path{};
  std::size_t header_bytes_max = 64 * 1024;
  std::size_t body_bytes_max = 32 * 1024 * 1024;
  std::size_t connections_max = 10'000;
  duration header_timeout =
      std::chrono::seconds{15};                      ///< from the first byte to the end of the head
  duration body_timeout = std::chrono::seconds{60};  ///< silence while the body arrives
  duration idle_timeout = std::chrono::seconds{120}; ///< between requests
  duration write_timeout = std::chrono::seconds{60}; ///< a client that takes no bytes
  std::optional<tls_files> tls;
};

/// What went wrong before a handler could see the request; the body of the answer has the
/// shape of the surface that was called, which only the handler's side knows.
struct refusal {
  int status; ///< 400, 401 and 403 (not admitted), 404, 405, 408, 411, 413, 414, 415, 417, 431,
              ///< 501, 503, 505
  std::string_view reason; ///< for people, fixed texts
  std::string_view target; ///< as far as it was read; may be empty
  std::string_view request_id;
  bool anthropic_version; ///< the head had `anthropic-version`
};

struct server_counters {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t connections_refused = 0;
  std::uint64_t requests = 0;
  std::uint64_t requests_refused = 0;
};

/// A body of this size costs no more than the connection itself.
constexpr std::size_t unscreened_body_bytes = 64 * 1024;

/// Who answers. One object per loop; called on that loop only.
class server_handler {
public:
  virtual ~server_handler() = default;

  /// Asked when the head of a request with a body of more than `unscreened_body_bytes`, or of
  /// unknown length, has come: any status but 0 refuses it before memory is spent on the body.
  /// `head.body` is empty yet. `serve` still has to check what came with a small body.
  virtual int refusal_of(const request&) { return 0; }

  /// Runs one exchange to its end. `x` lives until the task has ended.
  virtual task<void> serve(exchange& x) = 0;

  /// The head and body that tell a client of a refusal.
  virtual std::pair<response_head, std::string> refuse(const refusal& r) = 0;
};

/// A listener over several loops: connections are dealt to them in turn. Built, drained and
/// destroyed by one thread outside the loops, which must run while it lives.
class server {
public:
  /// One handler per loop, in the same order. Fails with `already_exists`, `permission` or
  /// `invalid_argument`, for a socket's path also with `not_found` (its directory) or
  /// `storage_full`; the text names address and port, or the path.
  static result<std::unique_ptr<server>> start(server_options options, log_sink& log,
                                               std::vector<event_loop*> loops,
                                               std::vector<server_handler*> handlers);

  virtual ~server() = default;

  virtual std::uint16_t port() const = 0;       ///< 0 for a path
  virtual server_counters counters() const = 0; ///< any thread

  /// Any thread: takes no new connection; open ones end after their running exchange.
  virtual void drain() = 0;

  /// Waits until no connection is left, at most `limit`. False: some are; then `stop` cuts
  /// them, cancelling their exchanges, and waits until their handlers have ended.
  virtual bool wait_drained(duration limit) = 0;
  virtual void stop() = 0;
};

} // namespace troupe::http
