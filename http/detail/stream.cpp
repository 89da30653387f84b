#include "http/detail/stream.hpp"

#include "http/detail/loop_impl.hpp"
#include "http/detail/tls.hpp"
#include "protocol/base/result.hpp"

#include <boost/asio/detail/epoll_reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/asio/error.hpp>
#include <boost/version.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

static_assert(BOOST_VERSION / 100 == 1081, "look through the reactor's operations again");

namespace troupe::http::detail {

namespace asio = boost::asio;
using asio::detail::epoll_reactor;
using asio::detail::reactor_op;

namespace {

/// Small pieces are put together for TLS, whose records cost more than the copy.
constexpr std::size_t tls_record_bytes = 16 * 1024;

stream::outcome outcome_of_errno() {
  if (errno == EAGAIN || errno == EWOULDBLOCK)
    return stream::outcome{stream::status::blocked};
  return stream::outcome{stream::status::broken};
}

} // namespace

struct stream::state {
  /// One of the two operations. Lives as long as the stream; the reactor only links it.
  class operation : public reactor_op {
  public:
    operation(state& owner, perform_func_type how)
        : reactor_op(boost::system::error_code{}, how, &operation::finish), owner_(owner) {}

    void start(int kind, waiter& w, epoll_reactor& reactor, int socket,
               epoll_reactor::per_descriptor_data& registration) {
      ec_ = {};
      bytes_transferred_ = 0;
      w.begin();
      waiter_ = &w;
      starting_ = true;
      reactor.start_op(kind, socket, registration, this, true, true);
      starting_ = false;
    }

    state& owner() { return owner_; }
    bool starting() const { return starting_; }

  private:
    static void finish(void* loop, asio::detail::operation* base, const boost::system::error_code&,
                       std::size_t) {
      if (loop == nullptr)
        return; // dropped: whoever waits is destroyed, not resumed
      auto& self = *static_cast<operation*>(base);
      std::exchange(self.waiter_, nullptr)->complete(self.ec_, self.bytes_transferred_);
    }

    state& owner_;
    waiter* waiter_ = nullptr;
    bool starting_ = false;
  };

  state(event_loop& l, int s, std::unique_ptr<tls_session> t, kind of)
      : loop(l.internals()),
        reactor(asio::use_service<epoll_reactor>(loop.context)),
        socket(s),
        tells_pending(of == kind::tcp),
        tls(std::move(t)) {
    reactor.init_task();
    usable = reactor.register_descriptor(socket, registration) == 0;
  }

  outcome receive(char* to, std::size_t size);
  outcome receive_plain(char* to, std::size_t size);
  outcome send_plain(const iovec* pieces, std::size_t count);
  outcome send_tls(const iovec* pieces, std::size_t count);
  outcome take_step(tls_step step, std::size_t bytes);
  void close();

  /// True: a receive would find nothing. Holds within one handler only, as later the
  /// reactor may have seen, and used up, the news of more.
  bool drained() const { return drained_in == loop.handlers_run; }

  static reactor_op::status perform_read(reactor_op* base);
  static reactor_op::status perform_ready(reactor_op* base);

  event_loop::impl& loop;
  epoll_reactor& reactor;
  epoll_reactor::per_descriptor_data registration = nullptr;
  int socket;
  const bool tells_pending;
  std::unique_ptr<tls_session> tls;
  bool usable = false;
  bool wants_write = false;
  std::uint64_t drained_in = 0;
  char* read_to = nullptr;
  std::size_t read_size = 0;
  operation reading{*this, &state::perform_read};
  operation read_readiness{*this, &state::perform_ready};
  operation write_readiness{*this, &state::perform_ready};
};

stream::outcome stream::state::receive(char* to, std::size_t size) {
  if (!tls)
    return receive_plain(to, size);
  std::size_t got = 0;
  const auto step = tls->read(to, size, got);
  return take_step(step, got);
}

stream::outcome stream::state::receive_plain(char* to, std::size_t size) {
  iovec piece{to, size};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  // A local socket tells nothing this way, but its peer may send descriptors, which would stay
  // in this process for ever. Where there is no room for them the kernel drops them.
  if (tells_pending) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  drained_in = 0;
  ssize_t got = -1;
  do
    got = ::recvmsg(socket, &message, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    const auto outcome = outcome_of_errno();
    if (outcome.what == status::blocked)
      drained_in = loop.handlers_run;
    return outcome;
  }
  if (got == 0)
    return outcome{status::ended};
  const auto* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == IPPROTO_TCP && header->cmsg_type == TCP_CM_INQ) {
    int pending = 1;
    std::memcpy(&pending, CMSG_DATA(header), sizeof pending);
    if (pending == 0)
      drained_in = loop.handlers_run;
  }
  return outcome{status::ok, static_cast<std::size_t>(got)};
}

stream::outcome stream::state::send_plain(const iovec* pieces, std::size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces);
  message.msg_iovlen = count;
  ssize_t sent = -1;
  do
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0)
    return outcome_of_errno();
  return outcome{status::ok, static_cast<std::size_t>(sent)};
}

stream::outcome stream::state::send_tls(const iovec* pieces, std::size_t count) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* from = static_cast<const char*>(pieces[i].iov_base);
    auto size = pieces[i].iov_len;
    std::array<char, tls_record_bytes> joined;
    if (size < tls_record_bytes && i + 1 < count) {
      std::size_t filled = 0;
      for (; i < count && filled + pieces[i].iov_len <= joined.size(); ++i) {
        std::memcpy(joined.data() + filled, pieces[i].iov_base, pieces[i].iov_len);
        filled += pieces[i].iov_len;
      }
      --i;
      from = joined.data();
      size = filled;
    }
    while (size > 0) {
      std::size_t sent = 0;
      const auto step = take_step(tls->write(from, size, sent), sent);
      if (step.what != status::ok)
        return total > 0 ? outcome{status::ok, total} : step;
      total += sent;
      from += sent;
      size -= sent;
    }
  }
  return outcome{status::ok, total};
}

stream::outcome stream::state::take_step(tls_step step, std::size_t bytes) {
  wants_write = step == tls_step::wants_write;
  switch (step) {
  case tls_step::ok:
    return outcome{status::ok, bytes};
  case tls_step::wants_read:
  case tls_step::wants_write:
    return outcome{status::blocked};
  case tls_step::ended:
    return outcome{status::ended};
  case tls_step::broken:
    break;
  }
  return outcome{status::broken};
}

reactor_op::status stream::state::perform_read(reactor_op* base) {
  auto& op = *static_cast<operation*>(base);
  auto& self = op.owner();
  if (op.starting() && self.drained())
    return reactor_op::not_done;
  const auto got = self.receive(self.read_to, self.read_size);
  // The reactor calls the completion next, and that is a handler of its own.
  if (!op.starting() && self.drained())
    ++self.drained_in;
  op.bytes_transferred_ = got.bytes;
  switch (got.what) {
  case status::ok:
    return reactor_op::done;
  case status::blocked:
    return reactor_op::not_done;
  case status::ended:
    op.ec_ = asio::error::eof;
    return reactor_op::done;
  case status::broken:
    op.ec_ = asio::error::connection_reset;
    return reactor_op::done;
  }
  return reactor_op::done;
}

/// At the start the caller has just found that nothing goes; the reactor's word ends it.
reactor_op::status stream::state::perform_ready(reactor_op* base) {
  return static_cast<operation*>(base)->starting() ? reactor_op::not_done : reactor_op::done;
}

void stream::state::close() {
  if (socket < 0)
    return;
  if (usable) {
    reactor.deregister_descriptor(socket, registration, true);
    ::close(socket);
    reactor.cleanup_descriptor_data(registration);
  } else {
    ::close(socket);
  }
  socket = -1;
}

stream::stream(event_loop& loop, int socket, std::unique_ptr<tls_session> tls, kind of)
    : state_(std::make_unique<state>(loop, socket, std::move(tls), of)) {}

stream::~stream() {
  state_->close();
}

bool stream::usable() const {
  return state_->usable;
}

stream::outcome stream::try_read(char* to, std::size_t size) {
  if (!is_open())
    return outcome{status::broken};
  if (state_->drained())
    return outcome{status::blocked};
  return state_->receive(to, size);
}

void stream::start_read(char* to, std::size_t size, waiter& w) {
  TROUPE_ASSERT(is_open());
  state_->read_to = to;
  state_->read_size = size;
  state_->reading.start(epoll_reactor::read_op, w, state_->reactor, state_->socket,
                        state_->registration);
}

stream::outcome stream::try_write(const iovec* pieces, std::size_t count) {
  if (!is_open())
    return outcome{status::broken};
  return state_->tls ? state_->send_tls(pieces, count) : state_->send_plain(pieces, count);
}

void stream::wait_writable(waiter& w) {
  TROUPE_ASSERT(is_open());
  state_->write_readiness.start(epoll_reactor::write_op, w, state_->reactor, state_->socket,
                                state_->registration);
}

void stream::wait_readable(waiter& w) {
  TROUPE_ASSERT(is_open());
  state_->read_readiness.start(epoll_reactor::read_op, w, state_->reactor, state_->socket,
                               state_->registration);
}

stream::outcome stream::try_handshake() {
  return state_->take_step(state_->tls->handshake(), 0);
}

bool stream::wants_write() const {
  return state_->wants_write;
}

bool stream::is_tls() const {
  return state_->tls != nullptr;
}

void stream::cancel() {
  if (is_open() && usable())
    state_->reactor.cancel_ops(state_->socket, state_->registration);
}

void stream::shut_down_writing() {
  if (!is_open())
    return;
  if (state_->tls)
    state_->tls->send_end();
  ::shutdown(state_->socket, SHUT_WR);
}

void stream::close() {
  state_->close();
}

void stream::close_with_reset() {
  if (!is_open())
    return;
  const linger at_once{1, 0};
  ::setsockopt(state_->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  state_->close();
}

bool stream::is_open() const {
  return state_->socket >= 0;
}

int stream::descriptor() const {
  return state_->socket;
}

void announce_pending_bytes(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_INQ, &on, sizeof on);
}

} // namespace troupe::http::detail
