#pragma once

#include "http/detail/tls.hpp"
#include "http/server.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http::detail {

class connection;

/// What all loops of one server share. Thread-safe. Kept alive by every part.
struct server_shared {
  server_shared(server_options o, log_sink& l, std::unique_ptr<tls_server> t)
      : options(std::move(o)), log(l), tls(std::move(t)) {}

  /// Over `connections_max` so many more are taken, to tell them; the rest is closed.
  static constexpr std::size_t refusals_at_once_max = 64;

  void connection_opened();
  void connection_closed();
  void listener_ended();

  const server_options options;
  log_sink& log;
  const std::unique_ptr<tls_server> tls;

  std::mutex mutex;
  std::condition_variable changed;
  bool listening = true;            ///< under the mutex
  std::atomic<std::size_t> open{0}; ///< changed under the mutex
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> refused{0}; ///< connections
};

/// One loop's share of a server: its connections, and what they have in common. Loop's
/// thread, except for the counters.
class server_part {
public:
  server_part(std::shared_ptr<server_shared> shared, event_loop& loop, server_handler& handler);

  /// Takes over an accepted, non-blocking socket that `connection_opened` has counted.
  void adopt(int socket, std::string peer, bool over_limit);

  /// Idle connections close; the others after their exchange.
  void drain();

  /// Cuts every connection and cancels its exchange.
  void stop();

  /// Called by a connection as its last act. It is destroyed once the stack has unwound.
  void remove(connection& c);

  bool draining() const { return draining_; }

  /// `date: ...` and `x-request-id: ` up to its value, made once per second.
  std::string_view common_fields();

  static constexpr std::size_t id_bytes = 20;
  /// `req_` and 16 hex digits. Unique in this process: loops begin at random places of a
  /// range that none of them can use up.
  std::array<char, id_bytes> next_request_id();

  void count_request() { requests_.store(requests() + 1, std::memory_order_relaxed); }
  void count_refusal() { refused_.store(requests_refused() + 1, std::memory_order_relaxed); }
  std::uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }
  std::uint64_t requests_refused() const { return refused_.load(std::memory_order_relaxed); }

  event_loop& loop() { return loop_; }
  server_handler& handler() { return handler_; }
  server_shared& shared() { return *shared_; }
  const server_options& options() const { return shared_->options; }

private:
  static void destroy(void* c);

  std::shared_ptr<server_shared> shared_;
  event_loop& loop_;
  server_handler& handler_;
  std::vector<connection*> connections_; ///< owned; each knows its place
  bool draining_ = false;
  std::string common_fields_;
  std::int64_t common_fields_second_ = -1;
  std::uint64_t next_id_;
  std::atomic<std::uint64_t> requests_{0}; ///< written on the loop only
  std::atomic<std::uint64_t> refused_{0};
};

} // namespace troupe::http::detail
