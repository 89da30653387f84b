#pragma once

#include "http/cancel.hpp"
#include "http/event_loop.hpp"
#include "http/headers.hpp"
#include "http/task.hpp"
#include "protocol/base/counter.hpp"
#include "protocol/base/log.hpp"
#include "protocol/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::http {

/// Where an upstream is. Connections are pooled per origin.
struct origin {
  bool tls = true;
  std::string host; ///< name or address, without brackets
  std::uint16_t port = 443;
  std::string unix_path{}; ///< instead of all above: a socket file on this machine

  friend bool operator==(const origin&, const origin&) = default;
};

/// Splits `https://host[:port][/path]`; the second part is the path without a trailing `/`.
result<std::pair<origin, std::string>> parse_base_url(std::string_view url);

struct client_counters {
  std::uint64_t connections_made = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t connections_idle = 0;
  std::uint64_t requests = 0;
  std::uint64_t stale_retries = 0;
};

/// What the clients of one loop count together: written on that loop, read by any thread. It
/// outlives the clients, so that no count goes back when one of them ends.
class client_tally {
public:
  counter connections_made, connections_open, connections_idle, requests, stale_retries;

  client_counters now() const {
    return {connections_made.get(), connections_open.get(), connections_idle.get(), requests.get(),
            stale_retries.get()};
  }
};

struct client_options {
  std::size_t connections_idle_max = 256;           ///< per loop, origin and proxy
  duration idle_timeout = std::chrono::seconds{55}; ///< an unused pooled connection lives so long
  std::size_t head_bytes_max = 64 * 1024;
  std::string ca_file;                           ///< empty: the system's
  bool verify = true;                            ///< certificate chain and host name
  std::shared_ptr<client_tally> tally = nullptr; ///< none: the client has one of its own

  friend bool operator==(const client_options&, const client_options&) = default;
};

/// Coarse: each ends a call up to 100 ms late, never early.
struct client_timeouts {
  duration connect = std::chrono::seconds{10};     ///< name, TCP, proxy and TLS together
  duration first_byte = std::chrono::seconds{120}; ///< after the request was sent
  duration silence = std::chrono::seconds{60};     ///< between two pieces of the answer, while
                                                   ///< somebody waits for it, or of the request
  duration total = std::chrono::seconds{600};      ///< from `send` to the end of the body
};

/// A plain call, as it happens on every request. `run` may be null.
struct client_hook {
  void (*run)(void*) = nullptr;
  void* argument = nullptr;
};

struct client_request {
  std::string_view method = "POST";
  std::string_view target;       ///< path and query
  std::string_view header_lines; ///< each `name: value\r\n`; host, content-length and
                                 ///< accept-encoding are added by the client
  std::string_view body;
  bool has_body = true;
  client_timeouts timeouts;

  /// The outgoing proxy that leads to the upstream, as `parse_proxy` reads it; empty: none.
  /// Connections are never shared between proxies.
  std::string_view proxy{};

  /// Called when a connection stands and the first byte of the request is about to be written on
  /// it; once more if a pooled connection turns out to be dead and another takes its place. So the
  /// caller knows how late a request leaves.
  client_hook before_bytes{};
};

/// An upstream's answer while it arrives. Destroying it before all its bytes were given out
/// closes the connection; at its end the connection has gone back to the pool. May outlive
/// the client, but not the loop.
class client_response {
public:
  virtual ~client_response() = default;

  virtual int status() const = 0;

  /// As they came; but of a body that `read` unpacks, without its coding and its length.
  virtual const headers& fields() const = 0;

  /// The next bytes of the body, decoded (chunks, gzip), as many as one read gave. Empty:
  /// the body ended cleanly, as its framing says. Valid until the next call. Fails with
  /// `upstream_broken` (closed early, reset), `upstream_timeout`, `upstream_malformed` or
  /// `cancelled`.
  virtual task<result<std::string_view>> read() = 0;
};

/// Calls upstreams from one loop, over pooled keep-alive connections. Loop's thread only, or
/// any while the loop does not run. Destroyed before its loop; its calls end before it does,
/// or are dropped by the loop unresumed.
class client {
public:
  static std::unique_ptr<client> make(event_loop& loop, client_options options, log_sink& log);

  virtual ~client() = default;

  /// Sends and waits for the head of the answer (interim 1xx answers are skipped). A pooled
  /// connection that turns out to be dead before any byte of the answer is replaced once.
  /// Everything in `request` must live until the task ends. Cancelling closes the
  /// connection at once, also while the body is read. Fails with `connect_failed`,
  /// `tls_failed`, `upstream_timeout`, `upstream_broken`, `upstream_malformed`, `cancelled`,
  /// `shutting_down`, and `invalid_argument` for a target with blanks or line breaks, or a proxy
  /// that cannot be meant. `proxy_failed`: the proxy cannot be reached, refuses, or says that it
  /// does not reach the upstream; no byte of the request has been sent then.
  virtual task<result<std::unique_ptr<client_response>>>
  send(const origin& to, const client_request& request, cancel_source& cancel) = 0;

  /// Of all clients that share its tally. Any thread.
  virtual client_counters counters() const = 0;

  /// Closes idle connections; later sends fail with `shutting_down`.
  virtual void stop() = 0;
};

} // namespace troupe::http
