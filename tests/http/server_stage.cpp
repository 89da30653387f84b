#include "tests/http/server_stage.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace troupe::http {

void quiet_log::write(log_area, log_level, std::string_view, std::string_view text) {
  const std::lock_guard lock{mutex_};
  text_.append(text).append("\n");
  changed_.notify_all();
}

bool quiet_log::wait_for(std::string_view part) {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, patience, [&] { return text_.find(part) != std::string::npos; });
}

std::string quiet_log::text() const {
  const std::lock_guard lock{mutex_};
  return text_;
}

void signal::raise() {
  const std::lock_guard lock{mutex_};
  raised_ = true;
  changed_.notify_all();
}

bool signal::wait() {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, patience, [this] { return raised_; });
}

void gate::await_suspend(std::coroutine_handle<> waiting) {
  waiting_ = waiting;
  reached.raise();
}

void gate::open(event_loop& loop) {
  loop.post([](void* self) { static_cast<gate*>(self)->waiting_.resume(); }, this);
}

task<void> scripted_handler::serve(exchange& x) {
  const auto& r = x.req();
  if (const auto found = scripts.find(r.path); found != scripts.end()) {
    co_await found->second(x);
    co_return;
  }
  const bool known = r.path == "/echo" || r.path == "*";
  const response_head head{known ? 200 : 404, "text/plain"};
  std::string body{r.method};
  body.append(" ").append(r.path).append(" ").append(r.query).append(" ").append(*r.body);
  co_await x.respond(head, body);
}

std::pair<response_head, std::string> scripted_handler::refuse(const refusal& r) {
  std::string body = "refused: ";
  body.append(r.reason).append("; target: ").append(r.target);
  if (r.anthropic_version)
    body.append("; anthropic");
  return {response_head{r.status, "text/plain"}, std::move(body)};
}

stage::stage(server_options options, std::size_t loop_count) {
  options.port = 0;
  std::vector<event_loop*> raw;
  for (std::size_t i = 0; i < loop_count; ++i) {
    loops.push_back(std::make_unique<event_loop>());
    raw.push_back(loops.back().get());
    threads.emplace_back([l = raw.back()] { l->run(); });
  }
  loop = raw.front();
  auto started = server::start(std::move(options), log, raw,
                               std::vector<server_handler*>(loop_count, &handler));
  if (!started) {
    ADD_FAILURE() << started.error().text;
    std::abort();
  }
  web = std::move(*started);
}

stage::~stage() {
  shut_down();
}

void stage::shut_down() {
  if (threads.empty())
    return;
  web.reset();
  for (auto& l : loops)
    l->stop();
  for (auto& t : threads)
    t.join();
  threads.clear();
}

void stage::on(std::string path, task<void> (*s)(exchange&)) {
  put(std::move(path), s);
}

void stage::put(std::string path, scripted_handler::script s) {
  // On the loop, so that the loop's later reads are ordered after it.
  std::promise<void> done;
  loop->post([&] {
    handler.scripts[path] = std::move(s);
    done.set_value();
  });
  done.get_future().get();
}

raw_client::raw_client(std::uint16_t port, int receive_buffer)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval limit{20, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_buffer > 0)
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    close();
}

raw_client::~raw_client() {
  close();
}

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void raw_client::half_close() {
  ::shutdown(socket_, SHUT_WR);
}

void raw_client::close_with_reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void raw_client::close() {
  if (socket_ >= 0)
    ::close(socket_);
  socket_ = -1;
}

bool raw_client::fill() {
  std::array<char, 16 * 1024> bytes;
  const auto got = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (got < 0) {
    EXPECT_NE(errno, EAGAIN) << "no byte from the server in time";
    reset_ = errno == ECONNRESET;
  }
  if (got <= 0)
    return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return true;
}

std::string raw_client::answer::field(std::string_view name) const {
  const auto at = head.find("\r\n" + std::string{name} + ": ");
  if (at == std::string::npos)
    return {};
  const auto begin = at + 2 + name.size() + 2;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

raw_client::answer raw_client::read_answer(bool head_only) {
  answer a;
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill())
      return a;
  a.head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  a.status = std::atoi(a.head.c_str() + 9);
  if (head_only || a.status == 100 || a.status == 204 || a.status == 304) {
    a.whole = true;
  } else if (const auto length = a.field("content-length"); !length.empty()) {
    a.body = read_bytes(std::stoul(length));
    a.whole = a.body.size() == std::stoul(length);
  } else if (a.field("transfer-encoding") == "chunked") {
    for (;;) {
      std::size_t line = 0;
      while ((line = buffer_.find("\r\n")) == std::string::npos)
        if (!fill())
          return a;
      const auto size = std::stoul(buffer_.substr(0, line), nullptr, 16);
      buffer_.erase(0, line + 2);
      const auto piece = read_bytes(size + 2);
      if (piece.size() != size + 2)
        return a;
      a.body.append(piece, 0, size);
      if (size == 0)
        break;
    }
    a.whole = true;
  } else {
    bool reset = false;
    a.body = read_to_end(&reset);
    a.whole = !reset;
  }
  return a;
}

std::string raw_client::read_to_end(bool* reset) {
  while (fill()) {
  }
  if (reset != nullptr)
    *reset = reset_;
  return std::exchange(buffer_, {});
}

std::string raw_client::read_bytes(std::size_t count) {
  while (buffer_.size() < count)
    if (!fill())
      break;
  auto bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

bool raw_client::at_end() {
  return buffer_.empty() && !fill();
}

std::string post(std::string_view path, std::string_view body, std::string_view more_fields) {
  std::string text = "POST ";
  text.append(path).append(" HTTP/1.1\r\nhost: a\r\ncontent-length: ");
  text.append(std::to_string(body.size())).append("\r\n");
  text.append(more_fields).append("\r\n").append(body);
  return text;
}

std::string get(std::string_view path, std::string_view more_fields) {
  std::string text = "GET ";
  text.append(path).append(" HTTP/1.1\r\nhost: a\r\n").append(more_fields).append("\r\n");
  return text;
}

} // namespace troupe::http
