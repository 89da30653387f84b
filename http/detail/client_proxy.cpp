#include "http/detail/client_proxy.hpp"

#include "http/core/proxy_words.hpp"
#include "http/detail/client_open.hpp"

#include <chrono>

namespace troupe::http::detail {

namespace {

using std::chrono::steady_clock;

failure refused(const proxy_question& q, std::string_view why) {
  return {errc::proxy_failed, "the proxy " + to_string(q.proxy) + " does not lead to "
                                  + with_port(q.to) + ": " + std::string{why}};
}

failure ended_early(const client_connection& c, const proxy_question& q) {
  if (c.ended() == ended_by::cancel || c.ended() == ended_by::total_limit)
    return failure_of(c.ended(), q.to);
  return refused(q, "it does not answer in time");
}

/// Sends what stands in the connection's `head_memory`, and reads one answer. Gives its code.
task<result<int>> exchange(client_connection& c, const proxy_question& q,
                           proxy_answer_reader read) {
  const auto left = q.until - steady_clock::now();
  c.sending_silence(left);
  c.send(c.head_memory, {});
  c.limit_wait(ended_by::connect_limit, left);
  while (true) {
    auto& in = c.input();
    const auto answer = read({in.data(), in.size()});
    if (answer.is == proxy_answer::state::malformed)
      co_return refused(q, "it answers something else than such a proxy");
    if (answer.is == proxy_answer::state::more && in.size() >= proxy_answer_bytes_max)
      co_return refused(q, "its answer is too long");
    if (answer.is == proxy_answer::state::done) {
      in.use(answer.used);
      if (c.sending() || c.send_failed())
        co_return refused(q, "it answers before it was asked");
      if (!in.empty())
        co_return refused(q, "it says more than its answer");
      co_return answer.code;
    }
    if (c.input_ended() != input_end::none)
      co_return refused(q, "it closed the connection");
    c.start_read();
    while (c.reading() && c.ended() == ended_by::nobody)
      co_await c.event();
    if (c.ended() != ended_by::nobody)
      co_return ended_early(c, q);
  }
}

task<result<void>> ask_for_connect(client_connection& c, const proxy_question& q) {
  write_connect(c.head_memory, with_port(q.to), q.proxy);
  const auto status = co_await exchange(c, q, &read_connect_answer);
  if (!status)
    co_return status.error();
  if (*status / 100 != 2)
    co_return refused(q, connect_refusal(*status, q.proxy.has_login()));
  co_return result<void>();
}

task<result<void>> log_in(client_connection& c, const proxy_question& q) {
  socks::write_greeting(c.head_memory, q.proxy);
  const auto choice = co_await exchange(c, q, &socks::read_choice);
  if (!choice)
    co_return choice.error();
  if (*choice == socks::no_login)
    co_return result<void>();
  if (*choice == socks::none_of_these)
    co_return refused(q, q.proxy.has_login() ? "it wants another login than user and password"
                                             : "it asks for a user and a password");
  if (*choice != socks::user_and_password || !q.proxy.has_login())
    co_return refused(q, "it chose a login that was not offered");
  socks::write_login(c.head_memory, q.proxy);
  const auto status = co_await exchange(c, q, &socks::read_login_answer);
  if (!status)
    co_return status.error();
  if (*status != 0)
    co_return refused(q, "it refuses the user and the password");
  co_return result<void>();
}

task<result<void>> ask_for_socks(client_connection& c, const proxy_question& q) {
  auto known = co_await log_in(c, q);
  if (!known)
    co_return known;
  if (!socks::write_connect(c.head_memory, q.host, q.to.port))
    co_return failure(errc::connect_failed, "SOCKS cannot name a host of that length");
  const auto reply = co_await exchange(c, q, &socks::read_connect_answer);
  if (!reply)
    co_return reply.error();
  if (*reply != 0)
    co_return refused(q, socks_refusal(*reply));
  co_return result<void>();
}

} // namespace

task<result<void>> ask_proxy(client_connection& connection, const proxy_question& question) {
  if (question.proxy.speaks_socks())
    co_return co_await ask_for_socks(connection, question);
  co_return co_await ask_for_connect(connection, question);
}

} // namespace troupe::http::detail
