#pragma once

#include "http/detail/waiter.hpp"

#include <cstddef>
#include <memory>

struct iovec;

namespace troupe::http::detail {

class tls_session;

/// The bytes of one connected socket, TCP or Unix-domain, plain or TLS, on one loop.
///
/// Asio's own socket begins every receive with an attempt, which after a request was read
/// finds nothing: one wasted system call per request on each side of the gateway. And its
/// sends complete through the loop's queue, which is another look at the sockets. So this
/// class gives Asio's reactor operations of its own: sends are tried at once by the caller,
/// and a receive is not tried when the kernel has just said (TCP_INQ) that neither bytes
/// nor the end of the stream are pending. It rests on the reactor of Boost 1.81, in
/// `stream.cpp` alone. A reset that arrives together with a request's bytes is noticed at
/// the next write only.
///
/// Loop's thread. At most one read and one wait for writing at a time; both must have
/// completed before this is destroyed, unless the loop has dropped its handlers.
class stream {
public:
  enum class kind { tcp, local };

  /// Takes over a non-blocking socket; `tls` is none for plain bytes.
  stream(event_loop& loop, int socket, std::unique_ptr<tls_session> tls, kind of = kind::tcp);
  ~stream();
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  /// False: the reactor did not take the socket (no memory in the kernel).
  bool usable() const;

  enum class status { ok, blocked, ended, broken };
  struct outcome {
    status what;
    std::size_t bytes = 0;

    explicit outcome(status s, std::size_t n = 0) : what(s), bytes(n) {}
  };

  /// Receives what is there. `ended`: the peer sends no more.
  outcome try_read(char* to, std::size_t size);

  /// Completes with the bytes of one receive, `boost::asio::error::eof`, or an error.
  void start_read(char* to, std::size_t size, waiter& w);

  /// Sends as much as the socket takes of `count` pieces.
  outcome try_write(const iovec* pieces, std::size_t count);
  void wait_writable(waiter& w);

  /// Completes when bytes may be there: for a listening socket, after `accept` found none.
  void wait_readable(waiter& w);

  /// TLS only: makes the handshake progress. `blocked`: wait for what `wants_write` says.
  outcome try_handshake();
  bool wants_write() const;
  bool is_tls() const;

  /// Ends what waits with `operation_aborted`.
  void cancel();

  /// Says that no more bytes come, in TLS's way and TCP's.
  void shut_down_writing();

  /// Closes at once and frees the descriptor; what waits ends with `operation_aborted`.
  void close();

  /// As `close`, but so that the peer sees a reset and not an end. A local socket has only
  /// the end: there it is the framing of what was sent that tells the peer.
  void close_with_reset();

  bool is_open() const;
  int descriptor() const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Switches on what lets `stream` know that nothing is pending. For listening sockets; the
/// connections they accept inherit it. Without it (old kernels) reads are merely tried.
void announce_pending_bytes(int socket);

} // namespace troupe::http::detail
