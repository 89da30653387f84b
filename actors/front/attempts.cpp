#include "actors/front/attempts.hpp"

#include "actors/core/retry.hpp"
#include "protocol/base/key_id.hpp"

#include <fmt/format.h>

#include <utility>

namespace troupe {

namespace {

constexpr std::size_t error_body_bytes_max = 1024 * 1024;
constexpr std::size_t settled_message_bytes_max = 300;
/// Keys of upstreams that a request does not know are passed over, but not for ever.
constexpr std::size_t strangers_max = 16;
constexpr std::string_view reset_header = "x-ratelimit-reset";

std::int64_t microseconds(duration d) {
  return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

wall_time wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// A call that ended before the upstream had answered: says nothing about the key.
gemini::verdict verdict_of(const failure& f) {
  gemini::verdict v;
  v.what = f.code == errc::upstream_timeout ? gemini::answer_class::upstream_timeout
                                            : gemini::answer_class::upstream_fault;
  v.scope = gemini::answer_scope::model;
  v.other_key_helps = true;
  v.message = f.text;
  return v;
}

client_error error_of(const failure& f) {
  client_error e;
  e.what = f.code == errc::upstream_timeout ? fault::upstream_timeout : fault::upstream_error;
  e.message = "The upstream could not be reached or broke off: " + f.text;
  return e;
}

/// An answer of status 200 that is none.
gemini::verdict faulty_answer(const client_error& e) {
  gemini::verdict v;
  v.what = gemini::answer_class::upstream_fault;
  v.scope = gemini::answer_scope::model;
  v.other_key_helps = true;
  v.message = e.message;
  return v;
}

acquire_request question_of(const upstream_call& call, const std::vector<std::uint64_t>& tried) {
  acquire_request q;
  q.model = call.model;
  q.tried = tried;
  q.groups.assign(call.groups.begin(), call.groups.end());
  return q;
}

client_error resting_error(const acquire_reply& reply) {
  client_error e;
  e.what = reply.per_day ? fault::quota_day : fault::rate_limited;
  e.message = reply.per_day ? "The daily quota of every upstream key is used up."
                            : "Every upstream key that could serve this request is resting.";
  e.retry_after = std::chrono::milliseconds{reply.wait_ms};
  return e;
}

client_error none_usable_error() {
  return make_client_error(fault::no_usable_key, "No usable upstream key is available.");
}

client_error draining_error() {
  return make_client_error(fault::draining,
                           "This node is stopping; send the request to another one.");
}

/// The client's error when no further key can be had after a failure: the failure itself, with
/// the pool's word on when it is worth trying again.
client_error with_wait(client_error e, const acquire_reply& reply) {
  if (reply.grant == grant_kind::resting
      && (e.what == fault::rate_limited || e.what == fault::overloaded))
    e.retry_after = std::chrono::milliseconds{reply.wait_ms};
  return e;
}

} // namespace

/// How one attempt ended.
struct attempts::attempt_end {
  gemini::verdict verdict;
  std::optional<client_error> error; ///< what the client would be told; none: it was served
  bool visible = false;              ///< the client has seen bytes of an answer
  bool gone = false;                 ///< the client left
  int status = 0;                    ///< the upstream's; 0: none came
  token_usage usage;
  duration first_byte{-1};
  duration whole{-1};

  attempt_end() {}
};

struct attempts::lease_or_error {
  std::optional<acquire_reply> lease;
  std::optional<client_error> error;
  bool gone = false;

  lease_or_error() {}
};

/// Where the answer goes: to a client, or (for `fetch`) into a string.
struct attempts::client_side {
  const serving& with;
  http::exchange* x = nullptr;
  answer_maker* answers = nullptr;
  http::cancel_source& cancel;
  std::string_view fields;
  std::string fetched;

  client_side(const serving& s, http::exchange* exchange, answer_maker* maker,
              http::cancel_source& c, std::string_view f)
      : with(s), x(exchange), answers(maker), cancel(c), fields(f) {}

  std::string_view request_id() const {
    return x != nullptr ? x->request_id() : std::string_view{};
  }
};

http::task<bool> attempts::refuse(http::exchange& x, const client_error& error, surface speaks,
                                  std::string_view fields) {
  const auto rendered = render(error, speaks, x.request_id());
  http::response_head head(rendered.status, "application/json");
  head.fields = rendered.fields;
  head.fields += fields;
  const bool there = co_await x.respond(head, rendered.body);
  co_return there;
}

http::task<attempts::lease_or_error> attempts::acquire(const upstream_call& call,
                                                       std::vector<std::uint64_t>& tried,
                                                       std::optional<client_error>& last,
                                                       http::cancel_source& cancel) {
  lease_or_error end;
  const auto asked = p_.loop.now();
  auto question = question_of(call, tried);
  auto answer = co_await p_.actors.ask<acquire_reply>(p_.pool, &cancel, &attempts::give_back,
                                                      std::move(question));
  if (!answer && answer.error().code == errc::shutting_down) {
    // A key actor that crashed with the question in its mailbox: the pool knows by now.
    auto again = question_of(call, tried);
    answer = co_await p_.actors.ask<acquire_reply>(p_.pool, &cancel, &attempts::give_back,
                                                   std::move(again));
  }
  p_.metrics.lease_time.add(p_.loop.now() - asked);
  if (!answer) {
    end.gone = answer.error().code == errc::cancelled;
    end.error = draining_error();
    co_return end;
  }
  switch (answer->grant) {
  case grant_kind::granted:
    end.lease = *std::move(answer);
    break;
  case grant_kind::resting:
    end.error = last ? with_wait(*last, *answer) : resting_error(*answer);
    break;
  case grant_kind::none_usable:
    end.error = last ? *last : none_usable_error();
    break;
  case grant_kind::shutting_down:
    end.error = last ? *last : draining_error();
    break;
  }
  co_return end;
}

/// A lease that came after its request had ended.
void attempts::give_back(bridge& actors, acquire_reply late) {
  if (late.grant != grant_kind::granted)
    return;
  settlement s;
  s.lease = late.lease;
  s.abandoned = true;
  actors.tell(late.key_actor, std::move(s));
}

void attempts::settle(const upstream_call& call, const acquire_reply& lease,
                      const attempt_end& end) {
  const auto& v = end.verdict;
  settlement s;
  s.lease = lease.lease;
  s.abandoned = end.gone;
  s.model = call.model;
  s.what = v.what;
  s.scope = v.scope;
  s.concerned_model = v.model;
  s.retry_after_ms = v.retry_after ? v.retry_after->count() : -1;
  s.model_not_offered = v.model_not_offered;
  if (v.what != gemini::answer_class::ok) {
    s.message = mask_keys(std::string_view{v.message}.substr(0, settled_message_bytes_max));
    s.reason = v.reason;
  }
  s.prompt_tokens = end.usage.prompt;
  s.output_tokens = end.usage.output;
  s.thought_tokens = end.usage.thought;
  s.cached_tokens = end.usage.cached;
  s.latency_us = end.whole.count() < 0 ? -1 : microseconds(end.whole);
  s.first_byte_us = end.first_byte.count() < 0 ? -1 : microseconds(end.first_byte);
  p_.actors.tell(lease.key_actor, std::move(s));

  auto& m = p_.metrics;
  if (!end.gone)
    m.attempts[static_cast<std::size_t>(v.what)].add();
  m.tokens_prompt.add(end.usage.prompt);
  m.tokens_output.add(end.usage.output);
  m.tokens_thought.add(end.usage.thought);
  m.tokens_cached.add(end.usage.cached);
}

http::task<attempts::attempt_end> attempts::attempt(client_side& side, const upstream_call& call,
                                                    const acquire_reply& lease,
                                                    std::size_t upstream) {
  const auto& target = side.with.config->upstreams[upstream];
  std::string path = target.base_path;
  path += call.path;
  std::string header_lines = call.header_lines;
  header_lines += target.header_lines;
  header_lines += "x-goog-api-key: ";
  header_lines += lease.secret_text.reveal();
  header_lines += "\r\n";

  http::client_request request;
  request.method = call.method;
  request.target = path;
  request.header_lines = header_lines;
  request.body = call.body;
  request.has_body = call.method != "GET";
  request.timeouts = target.timeouts;

  const auto sent = p_.loop.now();
  auto answer = co_await side.with.clients[upstream]->send(target.where, request, side.cancel);
  attempt_end end;
  if (!answer) {
    end.gone = answer.error().code == errc::cancelled;
    end.verdict = verdict_of(answer.error());
    end.error = error_of(answer.error());
    co_return end;
  }
  const auto first_byte = p_.loop.now() - sent;
  p_.metrics.first_byte_time.add(first_byte);
  auto& from = **answer;
  if (from.status() != 200)
    end = co_await take_error(call, from);
  else if (side.x != nullptr && side.answers->streams())
    end = co_await pass_stream(side, call, from);
  else
    end = co_await take_whole(side, call, from);
  end.status = from.status();
  end.first_byte = first_byte;
  end.whole = p_.loop.now() - sent;
  co_return end;
}

http::task<attempts::attempt_end> attempts::take_error(const upstream_call& call,
                                                       http::client_response& from) {
  attempt_end end;
  std::string body;
  for (;;) {
    auto bytes = co_await from.read();
    if (!bytes) {
      end.gone = bytes.error().code == errc::cancelled;
      break; // the status alone tells enough
    }
    if (bytes->empty() || body.size() > error_body_bytes_max)
      break;
    body += *bytes;
  }
  end.verdict = judge(call, from.status(), body, &from.fields());
  if (end.verdict.what == gemini::answer_class::ok) {
    // A success that is not 200 (a 204, say) answers nothing that was asked.
    auto e = make_client_error(fault::upstream_error, "The upstream answered with status "
                                                          + std::to_string(from.status()) + ".");
    end.verdict = faulty_answer(e);
    end.error = std::move(e);
    co_return end;
  }
  end.error = gemini::to_client_error(end.verdict, from.status(), body);
  co_return end;
}

gemini::verdict attempts::judge(const upstream_call& call, int status, std::string_view body,
                                const http::headers* fields) const {
  gemini::answer_facts facts;
  facts.model = call.model;
  facts.now = wall_now();
  if (fields != nullptr) {
    facts.retry_after = fields->get("retry-after");
    facts.retry_after_ms = fields->get("retry-after-ms");
    for (std::size_t i = 0; i < fields->size(); ++i)
      if (const auto field = (*fields)[i];
          http::same_name(field.name.substr(0, reset_header.size()), reset_header))
        facts.ratelimit_resets.push_back(field.value);
  }
  return gemini::classify(status, body, facts);
}

http::task<attempts::attempt_end> attempts::take_whole(client_side& side, const upstream_call& call,
                                                       http::client_response& from) {
  attempt_end end;
  std::string body;
  for (;;) {
    auto bytes = co_await from.read();
    if (!bytes) {
      end.gone = bytes.error().code == errc::cancelled;
      end.verdict = verdict_of(bytes.error());
      end.error = error_of(bytes.error());
      co_return end;
    }
    if (bytes->empty())
      break;
    if (body.size() + bytes->size() > side.with.config->answer_bytes_max) {
      auto e = make_client_error(fault::upstream_error,
                                 "The upstream's answer is larger than this node takes.");
      end.verdict = faulty_answer(e);
      end.verdict.other_key_helps = false;
      end.error = std::move(e);
      co_return end;
    }
    body += *bytes;
  }
  if (side.x == nullptr) {
    side.fetched = std::move(body);
    co_return end;
  }
  const auto answer = side.answers->whole();
  auto translated = answer->translate(std::move(body));
  end.usage = answer->usage();
  if (auto* inner = std::get_if<inner_error>(&translated)) {
    end.verdict = judge(call, inner->status, inner->body, nullptr);
    end.error = gemini::to_client_error(end.verdict, inner->status, inner->body);
    co_return end;
  }
  if (auto* e = std::get_if<client_error>(&translated)) {
    end.verdict = faulty_answer(*e);
    end.error = std::move(*e);
    co_return end;
  }
  http::response_head head(200, "application/json");
  head.fields = side.fields;
  end.visible = true;
  end.gone = !co_await side.x->respond(head, std::get<std::string>(translated));
  co_return end;
}

http::task<attempts::attempt_end>
attempts::pass_stream(client_side& side, const upstream_call& call, http::client_response& from) {
  attempt_end end;
  const auto answer = side.answers->stream();
  std::string out;
  std::optional<client_error> error;
  for (bool over = false; !over;) {
    auto bytes = co_await from.read();
    out.clear();
    if (!bytes) {
      end.gone = bytes.error().code == errc::cancelled;
      end.verdict = verdict_of(bytes.error());
      error = error_of(bytes.error());
    } else if (bytes->empty()) {
      error = answer->end(out);
      if (error)
        end.verdict = faulty_answer(*error);
      over = true;
    } else if (auto failed = answer->feed(*bytes, out)) {
      if (auto* inner = std::get_if<inner_error>(&*failed)) {
        end.verdict = judge(call, inner->status, inner->body, nullptr);
        error = gemini::to_client_error(end.verdict, inner->status, inner->body);
      } else {
        error = std::get<client_error>(std::move(*failed));
        end.verdict = faulty_answer(*error);
      }
    }
    if (end.gone)
      break;
    if (error && !end.visible && out.empty()) {
      end.error = std::move(error); // the client saw nothing: another key may do better
      end.usage = answer->usage();
      co_return end;
    }
    if (!out.empty() && !end.visible) {
      http::response_head head(200, answer->content_type());
      head.fields = "cache-control: no-cache\r\nx-accel-buffering: no\r\n";
      head.fields += side.fields;
      end.visible = true;
      p_.metrics.streams_open.add();
      end.gone = !co_await side.x->start(head);
    }
    if (error) {
      out += answer->broken(*error, side.x->request_id());
      over = true;
    }
    if (!end.gone && !out.empty())
      end.gone = !co_await side.x->write(out);
    if (end.gone)
      break;
  }
  if (end.visible)
    p_.metrics.streams_open.subtract();
  end.usage = answer->usage();
  if (error && !end.gone) {
    p_.metrics.streams_cut.add();
    end.error = std::move(error);
    side.x->cut();
  } else if (!end.gone) {
    end.gone = !co_await side.x->finish();
  }
  co_return end;
}

http::task<std::optional<client_error>> attempts::run(client_side& side, const upstream_call& call,
                                                      call_summary& summary) {
  std::vector<std::uint64_t> tried;
  std::optional<client_error> last;
  retry_policy policy;
  policy.attempts_max = side.with.config->pool.attempts_max;
  retry_state state;
  std::size_t strangers = 0;
  const auto deadline = p_.loop.now() + side.with.config->pool.request_deadline;
  for (;;) {
    auto permission = co_await acquire(call, tried, last, side.cancel);
    if (permission.gone || !permission.lease) {
      summary.gone = permission.gone;
      co_return permission.error;
    }
    const auto& lease = *permission.lease;
    const auto upstream = side.with.config->index_of(lease.upstream);
    if (!upstream) {
      // The key's upstream came or went after this request had begun.
      give_back(p_.actors, *permission.lease);
      tried.push_back(lease.key);
      if (++strangers > strangers_max)
        co_return none_usable_error();
      continue;
    }
    ++summary.attempts;
    summary.key = lease.key;
    p_.metrics.leases_open.add();
    auto end = co_await attempt(side, call, lease, *upstream);
    p_.metrics.leases_open.subtract();
    settle(call, lease, end);
    summary.gone = end.gone;
    summary.cut = end.visible && end.error.has_value();
    summary.visible = end.visible;
    if (end.gone || !end.error)
      co_return std::nullopt;
    log_failure(side, lease, end);
    if (end.visible)
      co_return end.error;
    last = std::move(end.error);
    tried.push_back(lease.key);
    const auto next = decide_retry(policy, state, end.verdict, deadline - p_.loop.now(),
                                   std::uniform_real_distribution<double>{}(random_), end.status);
    if (next.what == retry_kind::give_up)
      co_return last;
    p_.metrics.retries.add();
    if (next.same_key_allowed)
      tried.clear();
    if (next.wait > duration::zero())
      co_await p_.loop.sleep(next.wait);
    if (side.cancel.cancelled()) {
      summary.gone = true;
      co_return std::nullopt;
    }
  }
}

void attempts::log_failure(const client_side& side, const acquire_reply& lease,
                           const attempt_end& end) {
  if (!p_.log.wants(log_area::upstream, log_level::warning))
    return;
  const auto line = fmt::format(
      "{} {} ({}): {}", to_string(key_id{lease.key}), gemini::to_string(end.verdict.what),
      end.status != 0 ? std::to_string(end.status) : "no answer",
      mask_keys(std::string_view{end.verdict.message}.substr(0, settled_message_bytes_max)));
  p_.log.write(log_area::upstream, log_level::warning, side.request_id(), line);
}

http::task<call_summary> attempts::serve(http::exchange& x, const serving& with,
                                         const upstream_call& call, answer_maker& answers,
                                         std::string_view fields) {
  client_side side(with, &x, &answers, x.gone(), fields);
  call_summary summary;
  auto error = co_await run(side, call, summary);
  if (summary.gone)
    co_return summary;
  summary.status = 200;
  if (error && !summary.visible) {
    summary.status = render(*error, call.speaks, {}).status;
    summary.gone = !co_await refuse(x, *error, call.speaks, fields);
  }
  co_return summary;
}

http::task<std::variant<std::string, client_error>>
attempts::fetch(const serving& with, const upstream_call& call, http::cancel_source& cancel) {
  client_side side(with, nullptr, nullptr, cancel, {});
  call_summary summary;
  auto error = co_await run(side, call, summary);
  if (error)
    co_return std::move(*error);
  if (summary.gone) {
    auto e = make_client_error(fault::internal, "The request was taken back.");
    co_return e;
  }
  co_return std::move(side.fetched);
}

} // namespace troupe
