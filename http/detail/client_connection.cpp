#include "http/detail/client_connection.hpp"

#include "http/detail/client_pool.hpp"
#include "http/detail/tls.hpp"

#include <boost/asio/error.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace troupe::http::detail {

using std::chrono::steady_clock;

namespace {

/// A read that waits for so long is begun anew with an attempt: far below any limit, and far
/// above the pauses of a stream.
constexpr duration attempt_after = std::chrono::seconds{1};

/// A TLS record's most; more would only be decrypted later.
constexpr std::size_t wire_in_bytes = 17 * 1024;

/// How much of a body is encrypted ahead of the socket.
constexpr std::size_t encrypt_ahead = 64 * 1024;

boost::system::error_code system_error(int number) {
  return {number, boost::system::system_category()};
}

iovec piece(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

} // namespace

time_point later(time_point t, duration d) {
  return d >= time_point::max() - t ? time_point::max() : t + d;
}

client_connection::client_connection(event_loop& loop, std::shared_ptr<client_pool> pool,
                                     origin_pool& home)
    : loop_(loop),
      pool_(std::move(pool)),
      home_(home),
      read_(loop.internals()),
      write_(loop.internals()),
      deadline_(loop.internals().timeouts, &deadline_due, this),
      cancel_([](void* self) { static_cast<client_connection*>(self)->close(ended_by::cancel); },
              this) {
  read_.on_end(&read_done, this);
  write_.on_end(&write_done, this);
  ++home_.connections;
}

client_connection::~client_connection() {
  close(ended_by::owner);
  --home_.connections;
}

void client_connection::deadline_due(void* self) {
  auto& me = *static_cast<client_connection*>(self);
  if (me.idle_) {
    me.pool_->drop(me);
  } else if (me.limit_at_ > steady_clock::now()) {
    me.deadline_.set(me.limit_at_);
    me.read_anew();
  } else if (me.limit_ == ended_by::address_limit) {
    me.socket_->close(); // `connect` ends with an error; there are other addresses
  } else {
    me.close(me.limit_);
  }
}

void client_connection::begin_call(cancel_source& cancel, time_point total) {
  idle_ = false;
  total_ = total;
  limit(ended_by::total_limit, total);
  cancel_.join(cancel);
}

void client_connection::limit(ended_by why, time_point when) {
  if (ended_ != ended_by::nobody)
    return;
  limit_ = when < total_ ? why : ended_by::total_limit;
  limit_at_ = std::min(when, total_);
  deadline_.set(limit_at_);
}

void client_connection::limit_wait(ended_by why, duration span) {
  const auto now = steady_clock::now();
  limit(why, later(now, span));
  if (ended_ == ended_by::nobody && limit_at_ > now + attempt_after)
    deadline_.set(now + attempt_after);
}

bool client_connection::rest(time_point until) {
  cancel_.leave();
  if (ended_ != ended_by::nobody || sending_ || send_failed_ || !in_.empty()
      || input_end_ != input_end::none)
    return false;
  total_ = time_point::max();
  limit(ended_by::idle_limit, until);
  in_.clear();
  idle_ = true;
  start_read();
  if (in_.empty() && input_end_ == input_end::none)
    return true;
  idle_ = false;
  return false;
}

void client_connection::close(ended_by why) {
  cancel_.leave();
  if (ended_ != ended_by::nobody)
    return;
  ended_ = why;
  idle_ = false;
  deadline_.clear();
  if (question_ != nullptr) {
    resolver::leave(*question_, *this);
    question_ = nullptr;
  }
  if (std::exchange(counted_, false))
    pool_->count_closed();
  const bool sent_whole = !sending_ && !send_failed_;
  stop_sending();
  if (socket_ != nullptr) {
    if (sent_whole)
      socket_->close();
    else
      socket_->close_with_reset(); // the end would wait behind what the upstream does not take
  }
  // The aborted operations wake the coroutine. Without any, it must be done here, but not
  // now: who closes is in the middle of something.
  if (!quiet())
    stay_for_operations();
  else if (waiting_)
    wake_later();
}

/// Whose frame owns the connection. A coroutine, because a loop that will not run again
/// destroys those, while an object that owns itself would stay forever.
task<void> client_connection::keep_until_quiet(std::shared_ptr<client_connection> self) {
  struct awaiter {
    client_connection& connection;
    bool await_ready() const noexcept { return connection.quiet(); }
    void await_suspend(std::coroutine_handle<> staying) const noexcept {
      connection.staying_ = staying;
    }
    void await_resume() const noexcept {}
  };
  awaiter until_quiet{*self};
  co_await until_quiet;
}

void client_connection::stay_for_operations() {
  auto self = weak_from_this().lock();
  if (self == nullptr)
    return; // being destroyed, which with operations happens only after they were dropped
  // Not all who close are on the loop's thread, but the coroutine must be the loop's.
  auto* roots = std::exchange(roots_here, &loop_.internals().roots);
  spawn(keep_until_quiet(std::move(self)));
  roots_here = roots;
}

/// At the end of a completion: the last owner may be gone, but whoever called the hook still
/// uses memory of ours.
void client_connection::let_go(std::shared_ptr<client_connection> self) {
  if (self->quiet() && self->staying_)
    std::exchange(self->staying_, nullptr).resume();
  if (self.use_count() == 1)
    self->loop_.post([last = self] {});
}

void client_connection::wake() {
  if (const auto waiting = std::exchange(waiting_, nullptr))
    waiting.resume();
}

void client_connection::wake_later() {
  loop_.post([self = shared_from_this()] { self->wake(); });
}

// --- opening

void client_connection::look_up(resolver& names, const std::string& host) {
  error_ = {};
  addresses_ = names.known(host, steady_clock::now());
  if (addresses_ == nullptr)
    question_ = names.ask(host, shared_from_this());
}

void client_connection::looked_up(const boost::system::error_code& error,
                                  std::shared_ptr<const address_list> addresses) {
  question_ = nullptr;
  error_ = error;
  addresses_ = std::move(addresses);
  wake();
}

void client_connection::connect(const sockaddr* to, socklen_t to_size) {
  doing_ = stage::connected;
  const int socket = ::socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    error_ = system_error(errno);
    return;
  }
  const bool local = to->sa_family == AF_UNIX;
  if (!local) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    announce_pending_bytes(socket);
  }
  error_ = ::connect(socket, to, to_size) == 0 ? boost::system::error_code{} : system_error(errno);
  socket_ = std::make_unique<stream>(loop_, socket, nullptr,
                                     local ? stream::kind::local : stream::kind::tcp);
  if (!socket_->usable())
    error_ = boost::asio::error::no_memory;
  if (error_ != boost::asio::error::in_progress)
    return;
  doing_ = stage::connecting;
  socket_->wait_writable(write_);
}

void client_connection::on_connected() {
  doing_ = stage::connected;
  error_ = write_.error();
  int number = 0;
  socklen_t size = sizeof number;
  if (!error_ && socket_->is_open()
      && ::getsockopt(socket_->descriptor(), SOL_SOCKET, SO_ERROR, &number, &size) == 0)
    error_ = system_error(number);
  wake();
}

void client_connection::shake_hands(const tls_context& context, const std::string& host,
                                    tls_sessions& sessions) {
  doing_ = stage::shaking_hands;
  tls_ = std::make_unique<tls_stream>(context, host, sessions, std::move(tls_));
  if (wire_in_ == nullptr)
    wire_in_ = std::make_unique_for_overwrite<char[]>(wire_in_bytes);
  go_on_shaking();
}

void client_connection::go_on_shaking() {
  const auto progress = tls_->shake_hands();
  pump_out(); // also the alert that tells the upstream why we refuse
  switch (progress) {
  case tls_stream::progress::done:
    doing_ = stage::open;
    return;
  case tls_stream::progress::failed:
    doing_ = stage::open;
    tls_problem_ = tls_->problem();
    return;
  case tls_stream::progress::wants_input:
    if (input_end_ == input_end::none)
      receive();
    else
      doing_ = stage::open;
    return;
  }
}

void client_connection::opened() {
  doing_ = stage::open;
  counted_ = true;
  pool_->count_opened();
}

// --- output

void client_connection::send(std::string_view head, std::string_view body) {
  if (tls_ != nullptr) {
    to_encrypt_ = {head, body};
    out_ = {};
  } else {
    out_ = {piece(head), piece(body)};
  }
  sending_ = true;
  pump_out();
}

void client_connection::stop_sending() {
  sending_ = false;
  out_ = {};
  to_encrypt_ = {};
}

void client_connection::fail_sending() {
  stop_sending();
  send_failed_ = true;
  read_anew(); // for what made it fail
}

/// TLS: encrypts the next part of the request, and takes what TLS itself has to say.
bool client_connection::refill_out() {
  if (tls_ == nullptr)
    return false;
  std::size_t room = encrypt_ahead;
  for (auto& part : to_encrypt_) {
    const auto next = part.substr(0, room);
    if (!tls_->encrypt(next)) {
      fail_sending();
      return false;
    }
    part.remove_prefix(next.size());
    room -= next.size();
  }
  if (!tls_->take_wire(wire_out_)) {
    fail_sending();
    return false;
  }
  out_ = {piece(wire_out_), iovec{}};
  return !wire_out_.empty();
}

void client_connection::pump_out() {
  while (!write_.running() && ended_ == ended_by::nobody) {
    if (out_[0].iov_len + out_[1].iov_len == 0 && !refill_out()) {
      sending_ = false;
      return;
    }
    const auto outcome = socket_->try_write(out_.data(), out_.size());
    if (outcome.what == stream::status::blocked) {
      socket_->wait_writable(write_);
      return;
    }
    if (outcome.what != stream::status::ok) {
      // The answer may be here all the same (a refusal of a large body): reading decides.
      fail_sending();
      return;
    }
    auto sent = outcome.bytes;
    for (auto& part : out_) {
      const auto taken = std::min(sent, part.iov_len);
      part.iov_base = static_cast<char*>(part.iov_base) + taken;
      part.iov_len -= taken;
      sent -= taken;
    }
  }
}

void client_connection::write_done(void* self) {
  auto keep = static_cast<client_connection*>(self)->shared_from_this();
  keep->on_write();
  let_go(std::move(keep));
}

void client_connection::on_write() {
  if (doing_ == stage::connecting) {
    on_connected();
    return;
  }
  if (sending_ && !write_.aborted())
    limit(ended_by::silence_limit, later(steady_clock::now(), sending_silence_));
  pump_out();
  if (!sending_)
    wake();
}

// --- input

void client_connection::start_read() {
  if (read_.running() || input_end_ != input_end::none || ended_ != ended_by::nobody)
    return;
  if (tls_ != nullptr && decrypt())
    return;
  receive();
}

void client_connection::receive() {
  if (tls_ != nullptr) {
    socket_->start_read(wire_in_.get(), wire_in_bytes, read_);
    return;
  }
  const auto room = in_.room(input_bytes_max_);
  input_full_ = room.size() == 0;
  if (!input_full_)
    socket_->start_read(static_cast<char*>(room.data()), room.size(), read_);
}

void client_connection::read_anew() {
  if (read_.running() && socket_->is_open())
    socket_->cancel(); // see `on_read`
}

/// True: there is something to look at, bytes or an end.
bool client_connection::decrypt() {
  const auto before = in_.size();
  while (true) {
    const auto room = in_.room(input_bytes_max_);
    input_full_ = room.size() == 0;
    if (input_full_)
      return true;
    const auto plain = tls_->decrypt(static_cast<char*>(room.data()), room.size());
    switch (plain.is) {
    case tls_stream::plain::state::bytes:
      in_.add(plain.bytes);
      if (plain.bytes < room.size())
        continue; // one record; there may be another
      return true;
    case tls_stream::plain::state::wants_input:
      return in_.size() > before;
    case tls_stream::plain::state::closed:
      input_end_ = input_end::clean;
      return true;
    case tls_stream::plain::state::failed:
      input_end_ = input_end::broken;
      return true;
    }
  }
}

void client_connection::read_done(void* self) {
  auto keep = static_cast<client_connection*>(self)->shared_from_this();
  keep->on_read();
  let_go(std::move(keep));
}

void client_connection::on_read() {
  if (ended_ != ended_by::nobody) {
    input_end_ = input_end::broken;
  } else if (read_.aborted()) {
    receive(); // begun anew; now it is another handler, so that it makes an attempt
    return;
  } else if (read_.error()) {
    // Under TLS only its own farewell is a clean end: anybody can close a TCP connection.
    const bool farewell = read_.end_of_stream() && tls_ == nullptr;
    input_end_ = farewell ? input_end::clean : input_end::broken;
  } else if (tls_ != nullptr) {
    tls_->feed({wire_in_.get(), read_.bytes()});
  } else {
    in_.add(read_.bytes());
  }
  if (doing_ == stage::shaking_hands) {
    go_on_shaking();
    if (doing_ != stage::shaking_hands)
      wake();
    return;
  }
  if (tls_ != nullptr && input_end_ == input_end::none) {
    const bool something = decrypt();
    if (tls_->has_wire())
      pump_out();
    if (!something) {
      receive();
      return;
    }
  }
  if (idle_)
    pool_->drop(*this); // an upstream that speaks unasked, or is gone
  else
    wake();
}

} // namespace troupe::http::detail
