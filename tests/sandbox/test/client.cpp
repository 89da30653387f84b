#include "client.hpp"

#include "sandbox/control.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sandbox::test {

client::client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    ADD_FAILURE() << "cannot connect to the sandbox";
  // A bound on a broken test, not a wait of a passing one.
  const timeval patience{20, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

client::~client() {
  close();
}

void client::close() {
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
}

void client::shut_write() {
  ::shutdown(fd_, SHUT_WR);
}

void client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0)
      return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

bool client::read_more() {
  char buffer[16 * 1024];
  const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
  if (n > 0) {
    input.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  if (n == 0)
    ended = true;
  else if (errno == ECONNRESET)
    reset = true;
  else
    ADD_FAILURE() << "the sandbox went silent";
  return false;
}

void client::read_until(std::size_t enough) {
  while (input.size() < enough && read_more()) {
  }
}

void client::read_to_end() {
  while (read_more()) {
  }
}

void client::read_chunked(response& r) {
  for (;;) {
    std::size_t line_end = 0;
    while ((line_end = input.find("\r\n")) == std::string::npos)
      if (!read_more())
        return;
    const auto size = std::stoul(input.substr(0, line_end), nullptr, 16);
    read_until(line_end + 2 + size + 2);
    if (input.size() < line_end + 2 + size + 2) {
      r.body += input.substr(line_end + 2);
      return;
    }
    r.body += input.substr(line_end + 2, size);
    input.erase(0, line_end + 2 + size + 2);
    if (size == 0) {
      r.complete = true;
      return;
    }
  }
}

response client::read_response(bool head_only) {
  response r;
  std::size_t head_end = 0;
  while ((head_end = input.find("\r\n\r\n")) == std::string::npos)
    if (!read_more())
      return r;
  const auto head = input.substr(0, head_end + 2);
  input.erase(0, head_end + 4);
  if (head.rfind("HTTP/1.1 ", 0) != 0)
    return r;
  r.status = std::stoi(head.substr(9, 3));
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto end = head.find("\r\n", at);
    const auto colon = head.find(':', at);
    auto name = head.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(), ::tolower);
    r.headers[name] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  if (head_only) {
    r.complete = true;
  } else if (r.headers.contains("transfer-encoding")) {
    read_chunked(r);
  } else if (r.headers.contains("content-length")) {
    const auto length = std::stoul(r.headers["content-length"]);
    read_until(length);
    r.complete = input.size() >= length;
    r.body = input.substr(0, length);
    input.erase(0, r.body.size());
  } else {
    read_to_end();
    r.complete = ended;
    r.body = std::exchange(input, {});
  }
  return r;
}

host::host(unsigned threads) {
  server_options o;
  o.threads = threads;
  server_ = std::make_unique<http_server>(o, app_);
  EXPECT_EQ(server_->start(), "");
}

host::~host() {
  server_->stop();
}

std::string request_text(std::string_view method, std::string_view path, std::string_view body,
                         std::string_view key, std::string_view more) {
  std::string s;
  s += method;
  s += ' ';
  s += path;
  s += " HTTP/1.1\r\nHost: sandbox\r\n";
  if (!key.empty())
    s += "x-goog-api-key: " + std::string{key} + "\r\n";
  if (method == "POST")
    s +=
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  s += more;
  s += "\r\n";
  s += body;
  return s;
}

response host::get(std::string_view path, std::string_view key) {
  client c{port()};
  c.send(request_text("GET", path, {}, key));
  return c.read_response();
}

response host::post(std::string_view path, std::string_view body, std::string_view key) {
  client c{port()};
  c.send(request_text("POST", path, body, key));
  return c.read_response();
}

void host::script(std::string_view text) {
  ASSERT_EQ(put_scripts(inside(), text), "");
}

sandbox::json host::counters(std::string_view key) {
  return get("/_sandbox/counters?key=" + std::string{key}).parsed()["keys"];
}

sandbox::json host::judge() {
  return get("/_sandbox/judge").parsed();
}

std::vector<sandbox::json> events_of(const std::string& body) {
  std::vector<sandbox::json> events;
  for (std::size_t at = 0; (at = body.find("data: ", at)) != std::string::npos;) {
    at += 6;
    const auto end = body.find_first_of("\r\n", at);
    events.push_back(sandbox::json::parse(body.substr(at, end - at), nullptr, false));
    at = end;
  }
  return events;
}

std::string text_of(const std::vector<sandbox::json>& events) {
  std::string text;
  for (const auto& e : events)
    if (e.contains("candidates"))
      for (const auto& p : e["candidates"][0]["content"]["parts"])
        if (p.contains("text") && !p.value("thought", false))
          text += p["text"].get<std::string>();
  return text;
}

} // namespace sandbox::test
