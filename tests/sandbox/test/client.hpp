#pragma once

#include "sandbox/app.hpp"
#include "sandbox/http_server.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace sandbox::test {

/// One answer, taken apart.
struct response {
  int status = 0;
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;
  bool complete = false; ///< ended as its framing says

  sandbox::json parsed() const { return sandbox::json::parse(body, nullptr, false); }
};

/// A raw socket, and just enough HTTP to see what really came over it.
class client {
public:
  explicit client(std::uint16_t port);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void send(std::string_view bytes);
  /// Reads until `enough` bytes or the end. What came is kept in `input`.
  void read_until(std::size_t enough);
  void read_to_end();
  response read_response(bool head_only = false);
  void shut_write();
  void close();

  std::string input;
  bool ended = false; ///< the other side said FIN
  bool reset = false; ///< or RST

private:
  bool read_more();
  void read_chunked(response& r);
  int fd_;
};

/// A sandbox of its own for each test, on a free port.
class host {
public:
  explicit host(unsigned threads = 1);
  ~host();

  std::uint16_t port() const { return server_->port(); }
  world& inside() { return app_.inside(); }
  /// One request over a new connection.
  response get(std::string_view path, std::string_view key = "k1");
  response post(std::string_view path, std::string_view body, std::string_view key = "k1");
  /// Puts a script; the test fails when it is refused.
  void script(std::string_view text);
  /// Asked over a connection of their own: with one loop that is after what an
  /// answer that has been read still had to settle.
  sandbox::json counters(std::string_view key = {});
  sandbox::json judge();

private:
  app app_;
  std::unique_ptr<http_server> server_;
};

std::string request_text(std::string_view method, std::string_view path, std::string_view body,
                         std::string_view key, std::string_view more = {});

inline constexpr std::string_view generate = "/v1beta/models/gemini-2.5-flash:generateContent";
inline constexpr std::string_view stream =
    "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
inline constexpr std::string_view hello =
    R"({"contents":[{"role":"user","parts":[{"text":"hello there"}]}]})";

/// The JSON of each `data:` line.
std::vector<sandbox::json> events_of(const std::string& body);
/// The texts of all events of a Gemini stream, joined.
std::string text_of(const std::vector<sandbox::json>& events);

} // namespace sandbox::test
