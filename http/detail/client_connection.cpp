#include "http/detail/client_connection.hpp"

#include "http/detail/client_pool.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace troupe::http::detail {

namespace asio = boost::asio;

namespace {

/// A TLS record's most; more would only be decrypted later.
constexpr std::size_t wire_in_bytes = 17 * 1024;

/// How much of a body is encrypted ahead of the socket.
constexpr std::size_t encrypt_ahead = 64 * 1024;

} // namespace

time_point later(time_point t, duration d) {
  return d >= time_point::max() - t ? time_point::max() : t + d;
}

/// An operation's completion that also keeps the connection, whose memory it uses.
class client_connection::kept_completion {
public:
  using allocator_type = io_wait::completion::allocator_type;

  kept_completion(io_wait& wait, std::shared_ptr<client_connection> keep)
      : inner_(wait.handler()), keep_(std::move(keep)) {}

  allocator_type get_allocator() const noexcept { return inner_.get_allocator(); }

  void operator()(const boost::system::error_code& error, std::size_t bytes = 0) const {
    inner_(error, bytes);
  }

private:
  io_wait::completion inner_;
  std::shared_ptr<client_connection> keep_;
};

client_connection::client_connection(event_loop::impl& loop, std::shared_ptr<client_pool> pool,
                                     origin_pool& home)
    : loop_(loop),
      pool_(std::move(pool)),
      home_(home),
      socket_(loop.context),
      read_(loop),
      write_(loop),
      deadline_(loop.timeouts, &deadline_due, this),
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
  } else if (me.limit_ == ended_by::address_limit) {
    boost::system::error_code ignored;
    me.socket_.close(ignored); // `connect` ends with an error; there are other addresses
  } else {
    me.close(me.limit_);
  }
}

void client_connection::begin_call(cancel_source& cancel, time_point total) {
  idle_ = false;
  total_ = total;
  limit_ = ended_by::total_limit;
  deadline_.set(total);
  cancel_.join(cancel);
}

void client_connection::limit(ended_by why, time_point when) {
  if (ended_ != ended_by::nobody)
    return;
  limit_ = when < total_ ? why : ended_by::total_limit;
  deadline_.set(std::min(when, total_));
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
  boost::system::error_code ignored;
  if (sending_ || send_failed_) {
    // The end would wait behind what the upstream does not take; a reset overtakes it.
    socket_.set_option(asio::socket_base::linger{true, 0}, ignored);
    stop_sending();
  }
  if (question_ != nullptr) {
    resolver::leave(*question_, *this);
    question_ = nullptr;
  }
  if (std::exchange(counted_, false))
    pool_->count_closed();
  socket_.close(ignored);
  // The aborted operations wake the coroutine. Without any, it must be done here, but not
  // now: who closes is in the middle of something.
  if (waiting_ && !read_.running() && !write_.running())
    wake_later();
}

void client_connection::wake() {
  if (const auto waiting = std::exchange(waiting_, nullptr))
    waiting.resume();
}

void client_connection::wake_later() {
  asio::post(loop_.context, [self = shared_from_this()] {
    const handler_scope scope{self->loop_};
    self->wake();
  });
}

// --- opening

void client_connection::look_up(resolver& names, const std::string& host) {
  error_ = {};
  addresses_ = names.known(host, std::chrono::steady_clock::now());
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

void client_connection::connect(const asio::ip::tcp::endpoint& to) {
  doing_ = stage::connecting;
  error_ = {};
  boost::system::error_code ignored;
  socket_.close(ignored); // what an earlier address left
  socket_.async_connect(to, kept_completion{write_, shared_from_this()});
}

void client_connection::shake_hands(const tls_context& context, const std::string& host,
                                    tls_sessions& sessions) {
  doing_ = stage::shaking_hands;
  tls_ = std::make_unique<tls_stream>(context, host, sessions);
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
    out_ = {asio::const_buffer{head.data(), head.size()},
            asio::const_buffer{body.data(), body.size()}};
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
}

/// TLS: encrypts the next part of the request, and takes what TLS itself has to say.
bool client_connection::refill_out() {
  if (tls_ == nullptr)
    return false;
  std::size_t room = encrypt_ahead;
  for (auto& part : to_encrypt_) {
    const auto piece = part.substr(0, room);
    if (!tls_->encrypt(piece)) {
      fail_sending();
      return false;
    }
    part.remove_prefix(piece.size());
    room -= piece.size();
  }
  tls_->take_wire(wire_out_);
  out_ = {asio::const_buffer{wire_out_.data(), wire_out_.size()}, asio::const_buffer{}};
  return !wire_out_.empty();
}

void client_connection::pump_out() {
  while (!write_.running() && ended_ == ended_by::nobody) {
    if (out_[0].size() + out_[1].size() == 0 && !refill_out()) {
      sending_ = false;
      return;
    }
    boost::system::error_code error;
    auto sent = socket_.send(out_, 0, error);
    if (error == asio::error::would_block) {
      socket_.async_wait(tcp_socket::wait_write, kept_completion{write_, shared_from_this()});
      return;
    }
    if (error) {
      // The answer may be here all the same (a refusal of a large body): reading decides.
      fail_sending();
      return;
    }
    for (auto& part : out_) {
      const auto taken = std::min(sent, part.size());
      part += taken;
      sent -= taken;
    }
  }
}

void client_connection::write_done(void* self) {
  static_cast<client_connection*>(self)->on_write();
}

void client_connection::on_write() {
  if (doing_ == stage::connecting) {
    doing_ = stage::connected;
    error_ = write_.error();
    boost::system::error_code ignored;
    if (!error_ && ended_ == ended_by::nobody) {
      socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
      socket_.non_blocking(true, ignored); // `send` must not wait
    }
    wake();
    return;
  }
  if (ended_ == ended_by::nobody && sending_)
    limit(ended_by::silence_limit, later(std::chrono::steady_clock::now(), sending_silence_));
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
    socket_.async_receive(asio::buffer(wire_in_.get(), wire_in_bytes),
                          kept_completion{read_, shared_from_this()});
    return;
  }
  const auto room = in_.room(input_bytes_max_);
  input_full_ = room.size() == 0;
  if (!input_full_)
    socket_.async_receive(room, kept_completion{read_, shared_from_this()});
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
  static_cast<client_connection*>(self)->on_read();
}

void client_connection::on_read() {
  if (const auto& error = read_.error(); error || ended_ != ended_by::nobody) {
    // Under TLS only its own farewell is a clean end: anybody can close a TCP connection.
    const bool farewell = error == asio::error::eof && tls_ == nullptr;
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
