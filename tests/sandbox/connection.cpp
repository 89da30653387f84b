#include "sandbox/connection.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sandbox {

namespace {

constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t out_high_water = 64 * 1024;
constexpr std::size_t batch_bytes = 16 * 1024;
// After our FIN we read on for a moment: a close with unread input would be
// sent as a reset and could destroy what the client has not read yet.
constexpr std::chrono::seconds linger_max{2};

std::string peer_of(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  char text[INET6_ADDRSTRLEN] = "";
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0)
    return {};
  if (peer.ss_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&peer)->sin_addr, text, sizeof text);
  else if (peer.ss_family == AF_INET6)
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&peer)->sin6_addr, text,
                sizeof text);
  return text;
}

} // namespace

connection::connection(int fd, application& app, const reader_limits& limits)
    : fd_(fd),
      source_(peer_of(fd)),
      app_(app),
      input_max_(limits.head_bytes_max + 2 * limits.body_bytes_max + read_bytes),
      reader_(limits) {
  app_.connection_opened();
}

connection::~connection() {
  end_performance(departure::client_left);
  ::close(fd_);
  app_.connection_closed();
}

void connection::end_performance(departure how) {
  if (!playing_)
    return;
  playing_->ended(how);
  playing_.reset();
  step_waits_ = false;
  due_.reset();
}

bool connection::on_events(std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0)
    return false;
  if ((events & EPOLLIN) != 0)
    readable_ = true;
  if ((events & EPOLLOUT) != 0)
    writable_ = true;
  if ((events & EPOLLRDHUP) != 0) {
    peer_done_ = true;
    readable_ = true; // what came before the end must still be read
  }
  return work();
}

bool connection::on_due() {
  due_.reset();
  return !lingering_ && work();
}

bool connection::work() {
  for (;;) {
    if (lingering_)
      return linger();
    if (playing_ && !hanging_ && !play())
      return false;
    if (lingering_)
      continue;
    if (!flush())
      return false;
    // Whoever closes while we still owe something that takes time has gone away.
    if ((playing_ || hanging_) && peer_done_)
      return false;
    if (playing_ || hanging_ || out_at_ < out_.size())
      return true;
    if (ending_) {
      if (!finish_reply(*ending_))
        return false;
      continue;
    }
    if (take_request())
      continue;
    if (!readable_)
      return !peer_done_;
    if (!read_some())
      return false;
  }
}

/// Reads once. False when the connection is over.
bool connection::read_some() {
  if (in_at_ > 0 && in_at_ == in_.size()) {
    in_.clear();
    in_at_ = 0;
  } else if (in_at_ > batch_bytes) {
    in_.erase(0, in_at_);
    in_at_ = 0;
  }
  if (in_.size() - in_at_ > input_max_) {
    refuse(413);
    return true;
  }
  char buffer[read_bytes];
  const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
  if (n > 0) {
    in_.append(buffer, static_cast<std::size_t>(n));
    // A short read has emptied the socket: the next byte is a new edge. Not so
    // for the end of the stream, which was reported already.
    if (static_cast<std::size_t>(n) < sizeof buffer && !peer_done_)
      readable_ = false;
    return true;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    readable_ = errno == EINTR;
    return true;
  }
  if (n < 0)
    return false;
  peer_done_ = true;
  readable_ = false;
  return true;
}

/// Answers one request of the input. False when there is no whole one.
bool connection::take_request() {
  const auto input = std::string_view{in_}.substr(in_at_);
  if (input.empty())
    return false;
  switch (reader_.advance(input)) {
  case request_reader::state::need_more:
    return false;
  case request_reader::state::continue_wanted:
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    return true;
  case request_reader::state::bad:
    refuse(reader_.bad_status());
    return true;
  case request_reader::state::ready:
    break;
  }
  auto& r = reader_.current();
  r.on_connection = ++requests_;
  r.source = source_;
  auto answer = app_.answer(r, out_);
  const bool keep = r.keep_alive;
  in_at_ += reader_.consumed();
  reader_.clear();
  if (answer.rest) {
    playing_ = std::move(answer.rest);
    step_due_ = now();
    step_waits_ = false;
    if (!keep)
      ending_ = act::close;
  } else if (answer.then != act::keep || !keep) {
    ending_ = answer.then == act::keep ? act::close : answer.then;
  }
  return true;
}

/// Plays what is due. False when the connection is over.
bool connection::play() {
  for (;;) {
    if (out_.size() - out_at_ >= batch_bytes && !flush())
      return false;
    if (out_.size() - out_at_ >= out_high_water)
      return true; // the client does not take more: its next edge goes on
    if (!step_waits_) {
      step_.wait = duration{};
      step_.bytes.clear();
      step_.then = act::send;
      step_.flush = false;
      playing_->advance(step_);
      step_due_ += step_.wait;
      step_waits_ = true;
    }
    if (step_.wait > duration{} && step_due_ > now()) {
      due_ = step_due_;
      return flush();
    }
    step_waits_ = false;
    due_.reset();
    out_ += step_.bytes;
    if (step_.then == act::send && !step_.flush)
      continue;
    if (!flush())
      return false;
    if (step_.then == act::send)
      continue;
    if (out_at_ < out_.size()) { // the ending waits until the bytes are out
      step_.bytes.clear();
      step_waits_ = true;
      step_.wait = duration{};
      return true;
    }
    return finish_reply(step_.then);
  }
}

/// Does what ends a reply, when its last byte is with the kernel.
bool connection::finish_reply(act then) {
  if (then == act::keep && ending_)
    then = *ending_;
  ending_.reset();
  switch (then) {
  case act::send:
  case act::keep:
    end_performance(departure::delivered);
    return true;
  case act::close:
    end_performance(departure::delivered);
    ::shutdown(fd_, SHUT_WR);
    lingering_ = true;
    due_ = now() + linger_max;
    return true;
  case act::reset:
    end_performance(departure::broken);
    reset_now();
    return false;
  case act::hang:
    hanging_ = true;
    return true;
  }
  return false;
}

void connection::reset_now() {
  const ::linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

/// After our FIN: reads and forgets. False when the client is done too.
bool connection::linger() {
  char buffer[read_bytes];
  for (;;) {
    const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0 || (n < 0 && errno == EINTR))
      continue;
    return n < 0 && errno == EAGAIN;
  }
}

bool connection::flush() {
  while (writable_ && out_at_ < out_.size()) {
    const auto n = ::send(fd_, out_.data() + out_at_, out_.size() - out_at_, MSG_NOSIGNAL);
    if (n >= 0) {
      out_at_ += static_cast<std::size_t>(n);
    } else if (errno == EAGAIN) {
      writable_ = false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  if (out_at_ == out_.size()) {
    out_.clear();
    out_at_ = 0;
  } else if (out_at_ > out_high_water) {
    out_.erase(0, out_at_);
    out_at_ = 0;
  }
  return true;
}

/// Says why; the connection closes when that is written.
void connection::refuse(int status) {
  out_ += "HTTP/1.1 " + std::to_string(status)
          + (status == 413   ? " Payload Too Large"
             : status == 431 ? " Request Header Fields Too Large"
                             : " Bad Request")
          + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  in_.clear();
  in_at_ = 0;
  reader_.clear();
  ending_ = act::close;
}

} // namespace sandbox
