// troupe-load: drives an HTTP server over loopback and prints what it saw as one JSON line.
//
//   closed loop  --connections N --seconds S          as fast as the server answers
//   open loop    --rate R                             requests at fixed instants; latency counts
//                                                     from the instant, so no waiting is omitted
//   exact        --requests N                         stops after N answers
//
// One thread, plain epoll: it must cost less than what it measures.

#include "answer_reader.hpp"

#include <CLI/CLI.hpp>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::load {
namespace {

using clock = std::chrono::steady_clock;

struct options {
  std::string host = "127.0.0.1";
  int port = 0;
  std::string path = "/";
  std::string method = "POST";
  std::string body_file;
  std::vector<std::string> headers;
  std::size_t connections = 1;
  double seconds = 5;
  double rate = 0;
  std::uint64_t requests = 0;
  bool stream = false;
};

struct connection {
  int fd = -1;
  bool busy = false;
  bool connecting = false;
  std::size_t sent = 0;
  clock::time_point due;
  answer_reader answer;
};

class generator {
public:
  explicit generator(options o) : options_(std::move(o)) {
    std::string body;
    if (!options_.body_file.empty()) {
      std::ifstream in(options_.body_file, std::ios::binary);
      body.assign(std::istreambuf_iterator<char>(in), {});
    }
    request_ =
        options_.method + " " + options_.path + " HTTP/1.1\r\nHost: " + options_.host + "\r\n";
    for (const auto& h : options_.headers)
      request_ += h + "\r\n";
    if (options_.method == "POST")
      request_ += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    request_ += "\r\n" + body;
    epoll_ = epoll_create1(0);
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    watch(timer_, EPOLLIN, nullptr);
    for (std::size_t i = 0; i < options_.connections; ++i)
      connections_.push_back(std::make_unique<connection>());
  }

  void run() {
    begin_ = clock::now();
    end_ = begin_
           + std::chrono::duration_cast<clock::duration>(
               std::chrono::duration<double>(options_.seconds));
    for (auto& c : connections_)
      open(*c);
    arm();
    std::vector<epoll_event> events(256);
    while (!over()) {
      const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1000);
      for (int i = 0; i < n; ++i) {
        if (events[static_cast<std::size_t>(i)].data.ptr == nullptr)
          on_timer();
        else
          on_socket(*static_cast<connection*>(events[static_cast<std::size_t>(i)].data.ptr),
                    events[static_cast<std::size_t>(i)].events);
      }
    }
    elapsed_ = std::chrono::duration<double>(clock::now() - begin_).count();
  }

  void print() {
    std::sort(latencies_us_.begin(), latencies_us_.end());
    std::printf("{\"requests\":%llu,\"seconds\":%.3f,\"rps\":%.1f,\"errors\":%llu,\"events\":%llu,"
                "\"bytes\":%llu,\"cut\":%llu,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,"
                "\"p999_us\":%.1f,"
                "\"max_us\":%.1f,\"statuses\":{",
                n(answers_), elapsed_, static_cast<double>(answers_) / elapsed_, n(errors_),
                n(events_seen_), n(bytes_), n(cut_), at(0.5), at(0.9), at(0.99), at(0.999),
                at(1.0));
    bool first = true;
    for (const auto& [status, count] : statuses_) {
      std::printf("%s\"%d\":%llu", first ? "" : ",", status, n(count));
      first = false;
    }
    std::printf("}}\n");
  }

private:
  static unsigned long long n(std::uint64_t x) { return x; }

  double at(double part) const {
    if (latencies_us_.empty())
      return 0;
    return latencies_us_[std::min(
        latencies_us_.size() - 1,
        static_cast<std::size_t>(part * static_cast<double>(latencies_us_.size())))];
  }

  bool over() const {
    if (options_.requests != 0 && answers_ + errors_ >= options_.requests)
      return true;
    return clock::now() >= end_;
  }

  void watch(int fd, std::uint32_t what, void* data) {
    epoll_event e{};
    e.events = what;
    e.data.ptr = data;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e);
  }

  void open(connection& c) {
    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int one = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    inet_pton(AF_INET, options_.host.c_str(), &to.sin_addr);
    c.busy = false;
    c.answer.next();
    c.connecting = connect(c.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0;
    watch(c.fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &c);
    if (!c.connecting)
      idle(c);
  }

  void close_and_reopen(connection& c, bool error) {
    if (error) {
      ++errors_;
      if (c.answer.begun())
        ++cut_;
    }
    close(c.fd);
    if (!over())
      open(c);
  }

  void idle(connection& c) {
    c.busy = false;
    if (options_.requests != 0 && started_ >= options_.requests)
      return;
    if (options_.rate <= 0)
      start(c, clock::now());
    else if (!waiting_.empty()) {
      const auto due = waiting_.front();
      waiting_.pop_front();
      start(c, due);
    } else {
      idle_.push_back(&c);
    }
  }

  void start(connection& c, clock::time_point due) {
    c.busy = true;
    c.due = due;
    c.sent = 0;
    ++started_;
    send_rest(c);
  }

  void send_rest(connection& c) {
    while (c.sent < request_.size()) {
      const auto k = send(c.fd, request_.data() + c.sent, request_.size() - c.sent, MSG_NOSIGNAL);
      if (k < 0) {
        if (errno != EAGAIN)
          close_and_reopen(c, true);
        return;
      }
      c.sent += static_cast<std::size_t>(k);
    }
  }

  void on_socket(connection& c, std::uint32_t what) {
    if (c.connecting && (what & (EPOLLOUT | EPOLLERR))) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) {
        std::fprintf(stderr, "cannot connect: %s\n", std::strerror(error));
        std::exit(1);
      }
      c.connecting = false;
      idle(c);
      return;
    }
    if (c.busy && c.sent < request_.size() && (what & EPOLLOUT))
      send_rest(c);
    const bool ended = (what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (ended || (what & EPOLLIN) != 0)
      receive(c, ended);
  }

  /// `to_the_end`: the peer has closed, which no later event will tell again.
  void receive(connection& c, bool to_the_end) {
    static char buffer[64 * 1024];
    for (;;) {
      const auto k = recv(c.fd, buffer, sizeof buffer, 0);
      if (k < 0 && errno == EAGAIN)
        return;
      if (k <= 0) {
        std::erase(idle_, &c);
        close_and_reopen(c, c.busy);
        return;
      }
      std::string_view bytes{buffer, static_cast<std::size_t>(k)};
      while (!bytes.empty()) {
        bytes.remove_prefix(c.answer.feed(bytes));
        if (c.answer.broken()) {
          close_and_reopen(c, true);
          return;
        }
        if (!c.answer.done())
          break;
        if (!finish(c))
          return;
      }
      if (!to_the_end && static_cast<std::size_t>(k) < sizeof buffer)
        return;
    }
  }

  bool finish(connection& c) {
    ++answers_;
    ++statuses_[c.answer.status()];
    events_seen_ += c.answer.events();
    bytes_ += c.answer.body_bytes();
    if (options_.stream && c.answer.status() == 200 && !c.answer.saw_done())
      ++cut_;
    latencies_us_.push_back(
        std::chrono::duration<double, std::micro>(clock::now() - c.due).count());
    const bool keep = c.answer.keep_alive();
    c.answer.next();
    if (!keep) {
      close_and_reopen(c, false);
      return false;
    }
    idle(c);
    return true;
  }

  void arm() {
    if (options_.rate <= 0)
      return;
    const auto next = begin_
                      + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(
                          static_cast<double>(scheduled_) / options_.rate));
    const auto ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(next.time_since_epoch()).count();
    itimerspec when{};
    when.it_value.tv_sec = ns / 1'000'000'000;
    when.it_value.tv_nsec = std::max<long>(1, ns % 1'000'000'000);
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
  }

  void on_timer() {
    std::uint64_t ticks = 0;
    if (read(timer_, &ticks, sizeof ticks) < 0)
      return;
    const auto now = clock::now();
    for (;;) {
      const auto due = begin_
                       + std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(
                           static_cast<double>(scheduled_) / options_.rate));
      if (due > now)
        break;
      ++scheduled_;
      if (idle_.empty()) {
        waiting_.push_back(due);
      } else {
        auto* c = idle_.back();
        idle_.pop_back();
        start(*c, due);
      }
    }
    arm();
  }

  options options_;
  std::string request_;
  int epoll_ = -1;
  int timer_ = -1;
  std::vector<std::unique_ptr<connection>> connections_;
  std::vector<connection*> idle_;
  std::deque<clock::time_point> waiting_;
  std::uint64_t scheduled_ = 0, started_ = 0, answers_ = 0, errors_ = 0, cut_ = 0;
  std::uint64_t events_seen_ = 0, bytes_ = 0;
  std::map<int, std::uint64_t> statuses_;
  std::vector<double> latencies_us_;
  clock::time_point begin_, end_;
  double elapsed_ = 0;
};

} // namespace
} // namespace troupe::load

int main(int argc, char** argv) {
  troupe::load::options o;
  CLI::App app{"drives an HTTP server over loopback"};
  app.add_option("--port", o.port)->required();
  app.add_option("--path", o.path);
  app.add_option("--method", o.method);
  app.add_option("--body", o.body_file, "file with the request's body");
  app.add_option("--header", o.headers, "NAME: VALUE");
  app.add_option("--connections", o.connections);
  app.add_option("--seconds", o.seconds);
  app.add_option("--rate", o.rate, "requests per second; 0: as fast as answered");
  app.add_option("--requests", o.requests, "stop after so many");
  app.add_flag("--stream", o.stream, "answers are streams that end with [DONE]");
  CLI11_PARSE(app, argc, argv);
  troupe::load::generator g{std::move(o)};
  g.run();
  g.print();
}
