#pragma once

#include "http/client.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::http::testing {

using namespace std::chrono_literals;

/// The server's end of one connection, with blocking calls. Gives up after 20 s, so that a
/// broken client fails a test instead of hanging it.
class peer {
public:
  explicit peer(int fd) : fd_(fd) {
    const timeval limit{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~peer() { close(); }
  peer(const peer&) = delete;
  peer& operator=(const peer&) = delete;

  int fd() const { return fd_; }

  /// A request with its body by `content-length`; empty if the client closed.
  std::string read_request() {
    std::string all;
    std::size_t need = std::string::npos;
    char buffer[4096];
    while (all.size() < need) {
      const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0)
        return {};
      all.append(buffer, static_cast<std::size_t>(n));
      if (const auto end = all.find("\r\n\r\n"); need == std::string::npos && end != all.npos) {
        need = end + 4;
        if (const auto field = all.find("content-length: "); field < end)
          need += std::stoul(all.substr(field + 16));
      }
    }
    return all;
  }

  /// Waits until the test says `wake`.
  void read_wake() { wakes().acquire(); }
  static std::counting_semaphore<>& wakes() {
    static std::counting_semaphore<> s{0};
    return s;
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  /// Reads on until the client closes or resets. False: it did not.
  bool closed_by_client() {
    char buffer[64 * 1024];
    while (true) {
      const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n == 0)
        return true;
      if (n < 0)
        return errno == ECONNRESET;
    }
  }

  void reset() {
    const linger at_once{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }

  void close() {
    if (const int fd = fd_.exchange(-1); fd >= 0)
      ::close(fd);
  }

private:
  std::atomic<int> fd_;
};

/// Listens on a free port of 127.0.0.1. The n-th connection gets the n-th script, later ones
/// the last. Each script runs on a thread of its own; the destructor waits for all.
class scripted_server {
public:
  using script = std::function<void(peer&)>;

  explicit scripted_server(std::vector<script> scripts) : scripts_(std::move(scripts)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_all(); }};
  }
  explicit scripted_server(script only) : scripted_server(std::vector<script>{std::move(only)}) {}

  ~scripted_server() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (auto& t : threads_)
      t.join();
    ::close(listener_);
  }
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  std::uint16_t port() const { return port_; }
  origin at(std::string host = "127.0.0.1", bool tls = false) const {
    origin to;
    to.tls = tls;
    to.host = std::move(host);
    to.port = port_;
    return to;
  }
  int accepted() const { return accepted_.load(); }

private:
  void accept_all() {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0)
        return;
      const auto number = static_cast<std::size_t>(accepted_.fetch_add(1));
      threads_.emplace_back([this, fd, number] {
        peer p{fd};
        scripts_[std::min(number, scripts_.size() - 1)](p);
      });
    }
  }

  std::vector<script> scripts_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::vector<std::thread> threads_; ///< the acceptor's until it is joined
  std::thread acceptor_;
};

/// Answers every request of the connection with the same bytes.
inline scripted_server::script always(std::string answer) {
  return [answer = std::move(answer)](peer& p) {
    while (!p.read_request().empty())
      p.write(answer);
  };
}

/// Answers one request, then closes.
inline scripted_server::script once(std::string answer) {
  return [answer = std::move(answer)](peer& p) {
    p.read_request();
    p.write(answer);
  };
}

inline std::string with_length(std::string_view body, std::string_view fields = {}) {
  return "HTTP/1.1 200 OK\r\n" + std::string{fields}
         + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

struct silent_log final : log_sink {
  bool wants(log_area, log_level) const override { return false; }
  void write(log_area, log_level, std::string_view, std::string_view) override {}
};

/// A port that takes no connection: its queue is full and nobody accepts.
class full_listener {
public:
  full_listener() {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(fd_, 0);
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    for (auto& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
  }
  ~full_listener() {
    for (const int filler : fillers_)
      ::close(filler);
    ::close(fd_);
  }

  std::uint16_t port = 0;

private:
  int fd_;
  std::array<int, 4> fillers_{};
};

/// What came of a call.
struct got {
  int status = 0;
  std::string body;
  headers fields;
  std::optional<failure> error; ///< of `send` or of a `read`
  bool head = false;            ///< `send` succeeded
  int pieces = 0;

  errc code() const { return error ? error->code : errc{}; }
};

/// A client on a loop that the test's own thread runs.
class bench {
public:
  explicit bench(client_options options = {}) : c(client::make(loop, std::move(options), log)) {}
  ~bench() {
    c.reset();
    loop.drop_handlers();
  }

  /// Runs `work` to its end.
  void run(task<void> work) {
    std::optional<task<void>> held{stop_after(std::move(work), loop)};
    loop.post([&held] { spawn(std::move(*held)); });
    loop.run();
  }

  got call(const origin& to, client_request request = {}) {
    if (request.target.empty())
      request.target = "/";
    got g;
    cancel_source none;
    run(fetch(*c, to, request, none, g));
    return g;
  }

  /// Lets a script go on that waits in `read_wake`.
  void wake() { peer::wakes().release(); }

  /// Turns the loop until `c`'s counters say so.
  void until(bool (*holds)(const client_counters&)) { run(poll(loop, *c, holds)); }

  static task<void> fetch(client& from, const origin& to, const client_request& request,
                          cancel_source& cancel, got& out) {
    auto answer = co_await from.send(to, request, cancel);
    if (!answer) {
      out.error = answer.error();
      co_return;
    }
    out.head = true;
    out.status = (*answer)->status();
    out.fields = (*answer)->fields();
    while (true) {
      const auto bytes = co_await (*answer)->read();
      if (!bytes) {
        out.error = bytes.error();
        co_return;
      }
      if (bytes->empty())
        co_return;
      out.body += *bytes;
      ++out.pieces;
    }
  }

  silent_log log;
  event_loop loop;
  std::unique_ptr<client> c;

private:
  static task<void> stop_after(task<void> work, event_loop& l) {
    co_await work;
    l.stop();
  }
  static task<void> poll(event_loop& l, client& which, bool (*holds)(const client_counters&)) {
    while (!holds(which.counters()))
      co_await l.sleep(1ms);
  }
};

} // namespace troupe::http::testing
