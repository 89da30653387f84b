#include "actors/cli/api_link.hpp"

#include "actors/version.hpp"

#include <algorithm>
#include <optional>

namespace troupe::cli {

namespace {

class silent_log final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return false; }
  void write(log_area, log_level, std::string_view, std::string_view) override {}
};

/// Runs its loop on the calling thread for as long as a call lasts.
class loop_link final : public api_link {
public:
  explicit loop_link(link_options options)
      : options_(std::move(options)), client_(make_client(loop_, options_.ca_file, log_)) {}

  result<api_answer> call(const api_request& request) override {
    std::optional<result<api_answer>> end;
    loop_.post(std::function<void()>([&] { http::spawn(run(request, end)); }));
    loop_.run();
    TROUPE_ASSERT(end.has_value());
    return std::move(*end);
  }

private:
  static std::unique_ptr<http::client> make_client(http::event_loop& loop, const std::string& ca,
                                                   log_sink& log) {
    http::client_options options;
    options.ca_file = ca;
    return http::client::make(loop, std::move(options), log);
  }

  http::task<void> run(const api_request& request, std::optional<result<api_answer>>& end) {
    auto answer = co_await ask(request);
    end.emplace(std::move(answer));
    loop_.stop();
  }

  http::task<result<api_answer>> ask(const api_request& request);

  std::string header_lines(const api_request& request) const;

  link_options options_;
  silent_log log_;
  http::event_loop loop_;
  std::unique_ptr<http::client> client_;
};

std::string loop_link::header_lines(const api_request& request) const {
  std::string lines =
      "accept: application/json\r\nuser-agent: troupe/" + std::string{version} + "\r\n";
  if (!options_.credential.empty())
    lines += "authorization: Bearer " + std::string{options_.credential.reveal()} + "\r\n";
  if (!request.body.empty())
    lines += "content-type: " + request.content_type + "\r\n";
  if (request.if_match == "*")
    lines += "if-match: *\r\n";
  else if (!request.if_match.empty())
    lines += "if-match: \"" + request.if_match + "\"\r\n";
  return lines;
}

http::task<result<api_answer>> loop_link::ask(const api_request& request) {
  const auto lines = header_lines(request);
  const auto target = options_.base_path + request.target;
  http::client_request call;
  call.method = request.method;
  call.target = target;
  call.header_lines = lines;
  call.body = request.body;
  call.has_body = request.method != "GET";
  call.timeouts.connect = std::min(call.timeouts.connect, options_.timeout);
  call.timeouts.first_byte = options_.timeout;
  call.timeouts.silence = options_.timeout;
  call.timeouts.total = options_.timeout;
  http::cancel_source never;
  auto sent = co_await client_->send(options_.to, call, never);
  if (!sent)
    co_return sent.error();
  auto& response = **sent;
  api_answer answer;
  answer.status = response.status();
  answer.retry_after = response.fields().get("retry-after");
  while (true) {
    const auto piece = co_await response.read();
    if (!piece)
      co_return piece.error();
    if (piece->empty())
      break;
    answer.body += *piece;
    if (answer.body.size() > answer_bytes_max)
      co_return failure(errc::upstream_malformed, "the answer is too long");
  }
  co_return answer;
}

} // namespace

std::unique_ptr<api_link> open_link(link_options options) {
  return std::make_unique<loop_link>(std::move(options));
}

} // namespace troupe::cli
