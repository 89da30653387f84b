#include "sandbox/loop.hpp"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sandbox {

namespace {

constexpr std::uint64_t listener_tag = ~std::uint64_t{0};
constexpr std::uint64_t stop_tag = listener_tag - 1;
constexpr int events_max = 256;
constexpr int accepts_max = 64; ///< at one wake-up, so that others get their turn

std::uint64_t tag_of(std::uint32_t index, std::uint32_t generation) {
  return std::uint64_t{generation} << 32 | index;
}

} // namespace

loop::loop(int listener, const server_options& options, application& app)
    : listener_(listener),
      options_(options),
      app_(app),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      stop_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event e{};
  e.events = EPOLLIN | EPOLLEXCLUSIVE;
  e.data.u64 = listener_tag;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &e);
  e.events = EPOLLIN;
  e.data.u64 = stop_tag;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, stop_event_, &e);
}

loop::~loop() {
  stop();
  ::close(stop_event_);
  ::close(epoll_);
}

void loop::start() {
  thread_ = std::thread{[this] { run(); }};
}

void loop::stop() {
  if (!thread_.joinable())
    return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(stop_event_, &one, sizeof one);
  thread_.join();
  slots_.clear();
}

void loop::run() {
  epoll_event events[events_max];
  for (;;) {
    const int n = ::epoll_wait(epoll_, events, events_max, wait_ms());
    if (n < 0 && errno != EINTR)
      return;
    for (int i = 0; i < n; ++i) {
      const auto tag = events[i].data.u64;
      if (tag == stop_tag)
        return;
      if (tag == listener_tag) {
        accept_some();
        continue;
      }
      const auto index = static_cast<std::uint32_t>(tag);
      auto& s = slots_[index];
      if (s.who && s.generation == static_cast<std::uint32_t>(tag >> 32))
        after(index, s.who->on_events(events[i].events));
    }
    ring_alarms();
  }
}

void loop::accept_some() {
  for (int i = 0; i < accepts_max; ++i) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    if (open_ >= options_.connections_max) {
      ::close(fd);
      continue;
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const auto index = static_cast<std::uint32_t>(fd);
    if (index >= slots_.size())
      slots_.resize(index + 64);
    auto& s = slots_[index];
    ++s.generation;
    s.who = std::make_unique<connection>(fd, app_, options_.limits);
    ++open_;
    epoll_event e{};
    e.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    e.data.u64 = tag_of(index, s.generation);
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
  }
}

void loop::after(std::uint32_t index, bool alive) {
  auto& s = slots_[index];
  if (!alive) {
    s.who.reset();
    --open_;
  } else if (const auto due = s.who->due()) {
    alarms_.push({*due, index, s.generation});
  }
}

void loop::ring_alarms() {
  if (alarms_.empty())
    return;
  const auto t = now();
  while (!alarms_.empty() && alarms_.top().due <= t) {
    const auto a = alarms_.top();
    alarms_.pop();
    const auto& s = slots_[a.index];
    if (s.who && s.generation == a.generation && s.who->due() && *s.who->due() <= t)
      after(a.index, s.who->on_due());
  }
}

/// Rounded up to whole milliseconds: what is due within the same one is sent
/// at one wake-up, and a paced stream is late by less than that, never drifting.
int loop::wait_ms() const {
  if (alarms_.empty())
    return -1;
  const auto left = alarms_.top().due - now();
  if (left <= duration{})
    return 0;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

} // namespace sandbox
