#pragma once

#include "http/cancel.hpp"
#include "http/client.hpp"
#include "http/detail/client_buffer.hpp"
#include "http/detail/client_resolver.hpp"
#include "http/detail/client_tls.hpp"
#include "http/detail/loop_impl.hpp"
#include "http/detail/stream.hpp"
#include "http/detail/waiter.hpp"
#include "http/task.hpp"

#include <sys/uio.h>

#include <array>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/// One connection to an upstream: socket, TLS, buffers, the one deadline, the one cancel.
///
/// Completions are dealt with here, in callbacks; a coroutine only waits for `event()` and
/// looks what has become true: connected, shaken hands, bytes arrived, ended. Whoever must
/// stop it from outside (deadline, cancel, a pool that closes) calls `close`, which closes
/// the socket at once; the waiting coroutine runs later, from the loop, and finds out.
///
/// Between two calls the connection is idle with a read outstanding: so the pool hears of
/// a dead upstream without asking, and the read that an answer needs is already there. A
/// read that begins in the handler of the one before costs no system call (`stream` knows
/// that nothing is pending). The price: a reset that came together with the last bytes may
/// go unnoticed, so a read that waits for long, or whose request cannot be sent, is begun
/// anew with an attempt.

namespace troupe::http::detail {

class client_pool;
struct origin_pool;

/// Who ended a connection.
enum class ended_by : std::uint8_t {
  nobody,
  owner, ///< not needed any more
  cancel,
  address_limit, ///< ends one attempt to connect, not the connection
  connect_limit,
  first_byte_limit,
  silence_limit,
  total_limit,
  idle_limit
};

/// What a read found at the end.
enum class input_end : std::uint8_t {
  none,
  clean, ///< the upstream said that it sends no more
  broken
};

/// Kept alive by its owner, a call or the pool. Once closed it keeps itself alive until its
/// operations have ended, which need its memory, or until the loop drops them. Loop's thread.
class client_connection final : public std::enable_shared_from_this<client_connection>,
                                public lookup_waiter {
public:
  client_connection(event_loop& loop, std::shared_ptr<client_pool> pool, origin_pool& home);
  ~client_connection() override;

  origin_pool& home() const { return home_; }

  // --- one call
  /// From now on `cancel` and `total` end it.
  void begin_call(cancel_source& cancel, time_point total);
  /// Ends it at `when`, or at the call's total limit if that is earlier.
  void limit(ended_by why, time_point when);
  /// For a wait for the upstream's bytes, from now.
  void limit_wait(ended_by why, duration span);
  /// Only the total limit is left.
  void limit_total_only() { limit(ended_by::total_limit, total_); }
  /// The call ended well: waits for the next one. False: it has ended meanwhile.
  bool rest(time_point until);
  void close(ended_by why);
  ended_by ended() const { return ended_; }
  /// The coroutine that waits is being destroyed.
  void abandon_waiting() { waiting_ = nullptr; }

  // --- opening, see client_open.cpp
  void look_up(resolver& names, const std::string& host);
  bool looking_up() const { return question_ != nullptr; }
  const std::shared_ptr<const address_list>& addresses() const { return addresses_; }
  void connect(const sockaddr* to, socklen_t to_size);
  bool connecting() const { return doing_ == stage::connecting; }
  /// A second time: with who is behind the one that the first time was with.
  void shake_hands(const tls_context& context, const std::string& host, tls_sessions& sessions);
  bool shaking_hands() const { return doing_ == stage::shaking_hands; }
  void opened();
  const boost::system::error_code& error() const { return error_; }
  /// Why the handshake failed; empty if the connection ended during it.
  const std::string& tls_problem() const { return tls_problem_; }

  // --- bytes
  /// Sends both in one system call if the socket takes them. They must live until `sending`
  /// is false.
  void send(std::string_view head, std::string_view body);
  bool sending() const { return sending_; }
  /// True once the socket refused to take all: the request was not sent whole.
  bool send_failed() const { return send_failed_; }
  /// The upstream has heard enough; the connection is of no use for another request.
  void refuse_to_send() { fail_sending(); }
  /// Each time the upstream took some bytes, the limit moves: `silence` from now.
  void sending_silence(duration silence) { sending_silence_ = silence; }

  /// Reads once into `input`, unless a read is under way or has ended the input.
  void start_read();
  bool reading() const { return read_.running(); }
  read_buffer& input() { return in_; }
  input_end input_ended() const { return input_end_; }
  /// `input` is full and may not grow.
  bool input_full() const { return input_full_; }
  void input_bytes_max(std::size_t n) { input_bytes_max_ = n; }

  struct event_awaiter {
    client_connection& connection;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const noexcept {
      connection.waiting_ = waiting;
    }
    void await_resume() const noexcept {}
  };
  /// Resumes when something has changed; look at what, and wait again if it is not enough.
  event_awaiter event() { return event_awaiter{*this}; }

  /// The head of a request while it is sent; calls use its memory one after another.
  std::string head_memory;

private:
  enum class stage : std::uint8_t { closed, connecting, connected, shaking_hands, open };

  void looked_up(const boost::system::error_code& error,
                 std::shared_ptr<const address_list> addresses) override;
  static void deadline_due(void* self);
  static void read_done(void* self);
  static void write_done(void* self);
  static void let_go(std::shared_ptr<client_connection> self);
  static task<void> keep_until_quiet(std::shared_ptr<client_connection> self);
  void stay_for_operations();
  bool quiet() const { return !read_.running() && !write_.running(); }
  void on_read();
  void on_write();
  void on_connected();
  void read_anew();
  void receive();
  bool decrypt();
  void go_on_shaking();
  void pump_out();
  bool refill_out();
  void stop_sending();
  void fail_sending();
  void wake();
  void wake_later();

  event_loop& loop_;
  std::shared_ptr<client_pool> pool_;
  origin_pool& home_;
  std::unique_ptr<stream> socket_; ///< none before `connect`
  waiter read_;
  waiter write_;
  timeout deadline_;
  cancel_listener cancel_;
  std::coroutine_handle<> waiting_;
  std::coroutine_handle<> staying_; ///< owns this after the end

  time_point total_ = time_point::max();
  time_point limit_at_ = time_point::max(); ///< the deadline, if it is set to a check before it
  ended_by limit_ = ended_by::nobody;       ///< whom the deadline speaks for
  ended_by ended_ = ended_by::nobody;
  stage doing_ = stage::closed;
  input_end input_end_ = input_end::none;
  bool idle_ = false;
  bool counted_ = false;
  bool input_full_ = false;
  bool sending_ = false;
  bool send_failed_ = false;

  std::size_t input_bytes_max_ = read_buffer::usual_bytes;
  read_buffer in_;
  std::array<iovec, 2> out_{}; ///< what the socket still has to take
  std::array<std::string_view, 2> to_encrypt_;
  duration sending_silence_{};

  std::unique_ptr<tls_stream> tls_;
  std::unique_ptr<char[]> wire_in_;
  std::string wire_out_;
  std::string tls_problem_;

  std::shared_ptr<resolver::lookup> question_;
  std::shared_ptr<const address_list> addresses_;
  boost::system::error_code error_;
};

/// `t + d`, at most the end of time.
time_point later(time_point t, duration d);

} // namespace troupe::http::detail
