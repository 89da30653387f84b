/// What the HTTP server itself costs per request, with a handler that does next to
/// nothing: the floor under every figure of the gateway.
///
///     server_floor                     serves on a free port until stdin ends
///     server_floor CONNECTIONS COUNT   drives itself with COUNT keep-alive POSTs of 600
///                                      bytes over CONNECTIONS connections, then prints the
///                                      server thread's CPU time per request
///
/// For counted figures run it under callgrind with `--toggle-collect` on `event_loop::run`,
/// or under `strace -c -f`, with two counts, and divide the difference.

#include "http/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace troupe;
using namespace troupe::http;

class no_log final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return false; }
  void write(log_area, log_level, std::string_view, std::string_view) override {}
};

class trivial_handler final : public server_handler {
public:
  task<void> serve(exchange& x) override {
    const response_head head{200, "application/json"};
    co_await x.respond(head, answer_);
  }
  std::pair<response_head, std::string> refuse(const refusal& r) override {
    return {response_head{r.status, "text/plain"}, std::string{r.reason}};
  }

private:
  std::string answer_ = std::string(600, 'a');
};

int connect_to(std::uint16_t port) {
  const int s = ::socket(AF_INET, SOCK_STREAM, 0);
  const int on = 1;
  ::setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(s, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    std::exit(1);
  return s;
}

std::string request_text() {
  const std::string body(600, 'q');
  return "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:8080\r\n"
         "accept: application/json\r\nuser-agent: OpenAI/JS 4.77.0\r\n"
         "authorization: Bearer sk-0123456789abcdef0123456789abcdef\r\n"
         "content-type: application/json\r\ncontent-length: "
         + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Sends one request on each connection, then reads all answers, over and over.
void drive(std::uint16_t port, std::size_t connections, std::size_t count) {
  const auto text = request_text();
  std::vector<int> sockets;
  for (std::size_t i = 0; i < connections; ++i)
    sockets.push_back(connect_to(port));
  std::array<char, 4096> answer;
  for (std::size_t done = 0; done < count; done += connections) {
    for (const int s : sockets)
      if (::send(s, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        std::exit(1);
    for (const int s : sockets)
      if (::recv(s, answer.data(), answer.size(), 0) <= 600)
        std::exit(1);
  }
  for (const int s : sockets)
    ::close(s);
}

double cpu_seconds(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

} // namespace

int main(int argc, char** argv) {
  event_loop loop;
  std::thread thread{[&] { loop.run(); }};
  no_log log;
  trivial_handler handler;
  server_options options;
  options.port = 0;
  auto web = server::start(options, log, {&loop}, {&handler});
  if (!web) {
    std::fprintf(stderr, "%s\n", web.error().text.c_str());
    return 1;
  }
  if (argc == 3) {
    const auto connections = static_cast<std::size_t>(std::atoll(argv[1]));
    const auto count = static_cast<std::size_t>(std::atoll(argv[2]));
    clockid_t clock{};
    ::pthread_getcpuclockid(thread.native_handle(), &clock);
    const auto before = cpu_seconds(clock);
    drive((*web)->port(), connections, count);
    const auto used = cpu_seconds(clock) - before;
    std::printf("%zu requests, %.2f us of the server thread each\n", count,
                used * 1e6 / static_cast<double>(count));
  } else {
    std::printf("http://127.0.0.1:%u\n", static_cast<unsigned>((*web)->port()));
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
  }
  (*web).reset();
  loop.stop();
  thread.join();
  return 0;
}
