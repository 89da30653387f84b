#include "http/detail/listener.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe::http::detail {

namespace {

constexpr int backlog = 4096; ///< the kernel's own limit is applied to it
constexpr duration pause_after_failure = std::chrono::milliseconds{100};

struct addresses {
  addrinfo* first = nullptr;
  ~addresses() {
    if (first != nullptr)
      ::freeaddrinfo(first);
  }
};

std::string shown(const std::string& address, std::uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

failure cannot_listen(const std::string& where, int error) {
  const auto code = error == EADDRINUSE                 ? errc::already_exists
                    : error == EACCES || error == EPERM ? errc::permission
                                                        : errc::invalid_argument;
  const std::string why = error == EADDRINUSE ? "the port is in use by another process"
                                              : std::string{std::strerror(error)};
  return failure{code, "cannot listen on " + where + ": " + why};
}

std::uint16_t port_of(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
}

std::string address_text(const sockaddr_storage& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes =
      peer.ss_family == AF_INET6
          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr)
          : &reinterpret_cast<const sockaddr_in&>(peer).sin_addr;
  ::inet_ntop(peer.ss_family, bytes, text.data(), text.size());
  return text.data();
}

/// Concerns the connection that was about to be accepted, and no other (accept(2)).
bool is_of_one_connection(int error) {
  switch (error) {
  case EINTR:
  case ECONNABORTED:
  case EPERM:
  case EPROTO:
  case ENOPROTOOPT:
  case EOPNOTSUPP:
  case ENETDOWN:
  case ENETUNREACH:
  case EHOSTDOWN:
  case EHOSTUNREACH:
  case ENONET:
    return true;
  default:
    return false;
  }
}

} // namespace

result<bound_socket> bind_and_listen(const std::string& address, std::uint16_t port) {
  const auto where = shown(address, port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addresses found;
  const auto resolved =
      ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found.first);
  if (resolved != 0)
    return failure{errc::invalid_argument,
                   "cannot listen on " + where + ": " + ::gai_strerror(resolved)};
  const int socket =
      ::socket(found.first->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0)
    return cannot_listen(where, errno);
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); // accepted ones inherit it
  announce_pending_bytes(socket);
  if (::bind(socket, found.first->ai_addr, found.first->ai_addrlen) != 0
      || ::listen(socket, backlog) != 0) {
    const int error = errno;
    ::close(socket);
    return cannot_listen(where, error);
  }
  return bound_socket{socket, port_of(socket)};
}

listener::listener(std::shared_ptr<server_shared> shared,
                   std::vector<std::shared_ptr<server_part>> parts, bound_socket bound)
    : shared_(std::move(shared)),
      parts_(std::move(parts)),
      socket_(bound.socket),
      file_(std::move(bound.file)),
      readable_(parts_.front()->loop().internals()) {}

listener::~listener() {
  file_.remove();
  if (socket_ >= 0)
    ::close(socket_);
}

void listener::begin() {
  spawn(run(shared_from_this()));
}

void listener::close() {
  closed_ = true;
  file_.remove();
  if (stream_)
    stream_->close();
}

task<void> listener::run(std::shared_ptr<listener> self) {
  auto& loop = self->parts_.front()->loop();
  if (!self->closed_)
    self->stream_.emplace(loop, std::exchange(self->socket_, -1), nullptr);
  while (!self->closed_) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int socket = ::accept4(self->stream_->descriptor(), reinterpret_cast<sockaddr*>(&peer),
                                 &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket >= 0) {
      self->deal(socket, peer.ss_family == AF_UNIX ? local_peer(socket) : address_text(peer));
    } else if (errno == EAGAIN) {
      self->stream_->wait_readable(self->readable_);
      co_await self->readable_;
      if (self->readable_.error() && !self->closed_)
        co_await loop.sleep(pause_after_failure);
    } else if (!is_of_one_connection(errno)) {
      // Mostly no descriptor is left. Trying again at once would only burn the loop.
      self->shared_->log.write(log_area::http, log_level::warning, {},
                               std::string{"new connections wait: "} + std::strerror(errno));
      co_await loop.sleep(pause_after_failure);
    }
  }
  self->shared_->listener_ended();
}

void listener::deal(int socket, std::string peer) {
  const auto open = shared_->open.load();
  const auto max = shared_->options.connections_max;
  const bool over_limit = open >= max;
  if (over_limit) {
    shared_->refused.fetch_add(1);
    if (open >= max + server_shared::refusals_at_once_max) {
      ::close(socket);
      return;
    }
  } else {
    shared_->accepted.fetch_add(1);
  }
  shared_->connection_opened();
  const auto part = parts_[next_++ % parts_.size()];
  if (part->loop().on_this_thread())
    part->adopt(socket, std::move(peer), over_limit);
  else
    part->loop().post([part, socket, peer = std::move(peer), over_limit] {
      part->adopt(socket, peer, over_limit);
    });
}

} // namespace troupe::http::detail
