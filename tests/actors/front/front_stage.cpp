#include "tests/actors/front/front_stage.hpp"

#include "actors/key/pool_actor.hpp"
#include "actors/storage_actor.hpp"
#include "tests/actors/on_loop.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <gtest/gtest.h>

#include <cstdlib>

namespace troupe {

namespace {

constexpr std::string_view streamed =
    "/v1beta/models/gemini-2.0-flash:streamGenerateContent?alt=sse";

struct question {
  std::string method;
  std::string target;
  std::string fields;
  std::string body;

  http::client_request request() const {
    http::client_request r;
    r.method = method;
    r.target = target;
    r.header_lines = fields;
    r.body = body;
    r.has_body = method != "GET";
    return r;
  }
};

question question_of(std::string_view method, std::string_view target, std::string_view body,
                     std::string_view secret) {
  question q{std::string{method}, std::string{target}, "content-type: application/json\r\n",
             std::string{body}};
  if (!secret.empty())
    q.fields += "x-goog-api-key: " + std::string{secret} + "\r\n";
  return q;
}

/// `begun` is told when the first bytes have come, or none will.
http::task<front_stage::answer> ask(http::client& from, http::origin to, question what,
                                    std::shared_ptr<std::promise<void>> begun) {
  front_stage::answer a;
  http::cancel_source never;
  const auto request = what.request();
  auto got = co_await from.send(to, request, never);
  if (got) {
    a.status = (*got)->status();
    for (;;) {
      const auto bytes = co_await (*got)->read();
      if (auto first = std::exchange(begun, nullptr))
        first->set_value();
      a.whole = bytes && bytes->empty();
      if (!bytes || bytes->empty())
        break;
      a.body += *bytes;
    }
  }
  if (begun)
    begun->set_value();
  co_return a;
}

http::task<std::uint64_t> ask_until(http::client& from, http::origin to, question what,
                                    const std::atomic<bool>& end,
                                    std::atomic<std::uint64_t>& calls) {
  std::uint64_t failed = 0;
  while (!end) {
    auto again = what;
    auto asking = ask(from, to, std::move(again), nullptr);
    const auto a = co_await asking;
    failed += a.status != 200 || !a.whole;
    ++calls;
  }
  co_return failed;
}

template <class T>
T must(result<T> r) {
  if (!r) {
    ADD_FAILURE() << r.error().text;
    std::abort();
  }
  return *std::move(r);
}

} // namespace

void security_log::write(log_area area, log_level, std::string_view, std::string_view text) {
  if (area != log_area::security)
    return;
  const std::lock_guard guard{mutex_};
  lines_.emplace_back(text);
}

std::vector<std::string> security_log::lines() const {
  const std::lock_guard guard{mutex_};
  return lines_;
}

front_stage::front_stage(std::shared_ptr<const front_config> first, std::size_t loops,
                         const std::vector<std::uint32_t>& upstreams, limits_of_credentials limits)
    : store_(must(storage::store::open({.directory = where_.path()}))),
      runtime_(must(runtime::start(scheduler_kind::asio, loops))),
      storage_(spawn_storage(runtime_->system(), *store_, quiet_)),
      thread_([this] { calls_.run(); }),
      caller_(http::client::make(calls_, {}, quiet_)) {
  std::vector<pool_key> keys;
  for (const auto number : upstreams)
    keys.push_back({number, "key", secret{"upstream-" + std::to_string(number)}, number});
  pool_ = spawn_pool(runtime_->system(), std::move(keys), {}, std::move(limits), storage_, *store_,
                     quiet_);
  std::vector<http::server_handler*> handlers;
  for (auto* loop : runtime_->loops()) {
    auto parts = std::make_unique<loop_parts>();
    parts->loop = loop;
    parts->door = std::make_unique<bridge>(*loop, runtime_->system(), quiet_);
    call_on(*loop, [&] {
      parts->serving = std::make_unique<front>(
          attempts::parts{*loop, *parts->door, pool_, parts->metrics, log, 1, breakers},
          make_serving(*loop, first, nullptr, parts->tally, quiet_), draining_);
    });
    handlers.push_back(parts->serving.get());
    parts_.push_back(std::move(parts));
  }
  http::server_options options;
  options.port = 0;
  server_ = must(http::server::start(options, quiet_, runtime_->loops(), handlers));
}

front_stage::~front_stage() {
  call_on(calls_, [this] { caller_.reset(); });
  calls_.stop();
  thread_.join();
  server_.reset();
  {
    caf::scoped_actor self{runtime_->system()};
    const auto fail = [](const caf::error&) { ADD_FAILURE(); };
    self->request(pool_, caf::infinite, drain_atom::value).receive([] {}, fail);
    self->request(storage_, caf::infinite, flush_atom::value).receive([] {}, fail);
  }
  caf::anon_send_exit(pool_, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(storage_, caf::exit_reason::user_shutdown);
  pool_ = nullptr;
  storage_ = nullptr;
  for (const auto& parts : parts_)
    call_on(*parts->loop, [&] { parts->serving.reset(); });
  for (const auto& parts : parts_)
    parts->door->stop();
  parts_.clear();
  runtime_->stop();
}

std::shared_ptr<front_config> front_stage::config_for(const scripted_upstream& upstream,
                                                      std::vector<http::credential> clients) {
  auto config = std::make_shared<front_config>();
  upstream_target target;
  target.name = "only";
  target.number = 1;
  target.where.tls = false;
  target.where.host = "127.0.0.1";
  target.where.port = upstream.port();
  config->upstreams.push_back(std::move(target));
  config->clients = http::credential_set{std::move(clients)};
  return config;
}

void front_stage::use(std::shared_ptr<const front_config> config) {
  for (const auto& parts : parts_)
    call_on(*parts->loop, [&] {
      auto& f = *parts->serving;
      f.replace(make_serving(*parts->loop, config, &f.current(), parts->tally, quiet_));
    });
}

http::origin front_stage::self() const {
  http::origin to;
  to.tls = false;
  to.host = "127.0.0.1";
  to.port = server_->port();
  return to;
}

front_stage::answer front_stage::call(std::string_view method, std::string_view target,
                                      std::string_view body, std::string_view secret) {
  return on_loop(calls_, ask(*caller_, self(), question_of(method, target, body, secret), nullptr));
}

std::future<front_stage::answer> front_stage::begin_stream(std::string_view secret) {
  auto begun = std::make_shared<std::promise<void>>();
  auto first = begun->get_future();
  auto rest = begin_on(
      calls_, ask(*caller_, self(), question_of("POST", streamed, "{}", secret), std::move(begun)));
  first.wait();
  return rest;
}

std::future<std::uint64_t> front_stage::call_until(const std::atomic<bool>& end,
                                                   std::size_t callers,
                                                   std::atomic<std::uint64_t>& calls) {
  const auto what =
      question_of("POST", "/v1beta/models/gemini-2.0-flash:generateContent", "{}", "secret");
  std::vector<std::future<std::uint64_t>> all;
  for (std::size_t i = 0; i < callers; ++i)
    all.push_back(begin_on(calls_, ask_until(*caller_, self(), what, end, calls)));
  return std::async(std::launch::deferred, [all = std::move(all)]() mutable {
    std::uint64_t failed = 0;
    for (auto& one : all)
      failed += one.get();
    return failed;
  });
}

http::client_counters front_stage::to_upstreams() {
  http::client_counters sum;
  for (const auto& parts : parts_) {
    call_on(*parts->loop, [] {});
    const auto c = parts->tally->now();
    sum.connections_made += c.connections_made;
    sum.connections_open += c.connections_open;
    sum.connections_idle += c.connections_idle;
    sum.requests += c.requests;
  }
  return sum;
}

} // namespace troupe
