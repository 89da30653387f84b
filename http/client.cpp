#include "http/client.hpp"

#include "http/detail/client_answer.hpp"
#include "http/detail/client_open.hpp"
#include "http/detail/client_pool.hpp"

#include <algorithm>
#include <chrono>

namespace troupe::http {

namespace {

using detail::client_answer;

/// A blank or a line break in it would begin another part of the request.
bool can_be_target(std::string_view target) {
  return !target.empty() && std::all_of(target.begin(), target.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
  });
}

class pooling_client final : public client {
public:
  pooling_client(event_loop& loop, client_options options, log_sink& log)
      : pool_(std::make_shared<detail::client_pool>(loop, std::move(options), log)) {}

  ~pooling_client() override { pool_->stop(); }

  task<result<std::unique_ptr<client_response>>>
  send(const origin& to, const client_request& request, cancel_source& cancel) override;

  client_counters counters() const override { return pool_->tally().now(); }

  void stop() override { pool_->stop(); }

private:
  std::shared_ptr<detail::client_pool> pool_;
};

task<result<std::unique_ptr<client_response>>>
pooling_client::send(const origin& to, const client_request& request, cancel_source& cancel) {
  if (pool_->stopped())
    co_return failure(errc::shutting_down, "the client is stopped");
  if (cancel.cancelled())
    co_return failure(errc::cancelled, "cancelled");
  if (!can_be_target(request.target))
    co_return failure(errc::invalid_argument, "the request's target is empty or has blanks");
  pool_->tally().requests.add();
  const auto total = detail::later(std::chrono::steady_clock::now(), request.timeouts.total);
  auto* home = request.proxy.empty() ? &pool_->of(to) : nullptr;
  if (home == nullptr) {
    const auto through = pool_->of(to, request.proxy);
    if (!through)
      co_return through.error();
    home = *through;
  }
  auto connection = pool_->take(*home);
  while (true) {
    const bool reused = connection != nullptr;
    if (!reused)
      connection = pool_->make(*home);
    connection->begin_call(cancel, total);
    auto& c = *connection;
    auto answer = std::make_unique<client_answer>(pool_, std::move(connection), request);
    if (!reused) {
      auto opened = co_await detail::open_connection(c, *pool_, to, request.timeouts.connect);
      if (!opened)
        co_return opened.error();
    }
    const auto head = co_await answer->exchange_heads(request);
    if (head == client_answer::head_state::good)
      co_return std::unique_ptr<client_response>(std::move(answer));
    if (head != client_answer::head_state::dead || !reused)
      co_return answer->why();
    // The upstream closed it before it heard of this request. Others that rest may be dead
    // too, so the request gets a new one.
    pool_->tally().stale_retries.add();
    if (pool_->log().wants(log_area::upstream, log_level::debug))
      pool_->log().write(log_area::upstream, log_level::debug, {},
                         "a resting connection was dead, one retry: " + answer->why().text);
    connection = nullptr;
  }
}

} // namespace

std::unique_ptr<client> client::make(event_loop& loop, client_options options, log_sink& log) {
  return std::make_unique<pooling_client>(loop, std::move(options), log);
}

} // namespace troupe::http
