#include "actors/front/attempts.hpp"

#include "actors/front/attempt_state.hpp"
#include "actors/front/attempt_words.hpp"
#include "protocol/base/key_id.hpp"
#include "protocol/upstream/classify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

// The course of a request over its attempts: leases, retries, what is told in the end. One
// attempt: attempt.cpp.

namespace troupe {

namespace {

constexpr std::size_t settled_message_bytes_max = 300;
/// Keys that cannot be used now (of upstreams that a request does not know, or whose breaker has
/// just opened) are passed over, but not for ever.
constexpr std::size_t detours_max = 16;
constexpr std::string_view heartbeat = ": waiting for a key\n\n";

bool is_quota(gemini::answer_class what) {
  return what == gemini::answer_class::quota_day || what == gemini::answer_class::quota_minute
         || what == gemini::answer_class::quota_unknown;
}

} // namespace

/// Comments that keep a waiting client's connection alive.
struct attempts::heart {
  http::event_loop& loop;
  http::exchange& x;
  std::string_view fields;
  duration interval;
  bool over = false;
  bool writing = false;
  bool begun = false;
  bool gone = false;

  heart(http::event_loop& l, http::exchange& e, std::string_view f, duration i)
      : loop(l), x(e), fields(f), interval(i) {}
};

http::task<bool> attempts::refuse(http::exchange& x, const client_error& error, surface speaks,
                                  std::string_view fields, bool forwarded) {
  const auto rendered = forwarded ? upstream::render_forwarded(error, speaks, x.request_id())
                                  : render(error, speaks, x.request_id());
  http::response_head head(rendered.status, "application/json");
  head.fields = rendered.fields;
  head.fields += fields;
  const bool there = co_await x.respond(head, rendered.body);
  co_return there;
}

acquire_request attempts::question_of(const upstream_call& call, const course& so_far,
                                      const call_notes& notes) {
  acquire_request q;
  q.model = call.model;
  q.tried = so_far.tried;
  q.pinned = call.pinned;
  q.upstreams = so_far.upstreams;
  q.groups.assign(call.groups.begin(), call.groups.end());
  q.model_groups.assign(call.model_groups.begin(), call.model_groups.end());
  q.affinity = call.affinity;
  q.input_tokens = call.demand.input;
  q.output_tokens = call.demand.output;
  q.credential = call.credential;
  q.credential_ticket = notes.credential_ticket;
  q.ticket = next_ticket_ += 0x9E3779B97F4A7C15U; // odd: all numbers come once
  const auto left = std::min<duration>(call.wait_max, so_far.deadline - p_.loop.now());
  q.wait_max_ms = std::max<std::int64_t>(
      0, std::chrono::duration_cast<std::chrono::milliseconds>(left).count());
  return q;
}

http::task<result<acquire_reply>> attempts::ask(client_side& side, acquire_request& question) {
  const auto ticket = question.ticket;
  side.notes.tickets.push_back(ticket);
  auto answer = co_await p_.actors.ask<acquire_reply>(p_.pool, &side.cancel, &attempts::came_late,
                                                      std::move(question));
  side.granted = p_.loop.now();
  if (!answer && answer.error().code == errc::cancelled)
    p_.actors.tell(p_.pool, stop_waiting{ticket});
  co_return answer;
}

http::task<void> attempts::beat(std::shared_ptr<heart> state) {
  for (;;) {
    co_await state->loop.sleep(state->interval);
    if (state->over)
      co_return;
    state->writing = true;
    if (!state->begun) {
      http::response_head head(200, "text/event-stream; charset=utf-8");
      head.fields = "cache-control: no-cache\r\nx-accel-buffering: no\r\n";
      head.fields += state->fields;
      state->begun = true;
      state->gone = !co_await state->x.start(head);
    }
    if (!state->gone)
      state->gone = !co_await state->x.write(heartbeat);
    state->writing = false;
    if (state->gone)
      co_return;
  }
}

/// A question that may wait long. First without waiting: mostly there is a key, and no heart has
/// to beat.
http::task<result<acquire_reply>> attempts::ask_with_heartbeats(client_side& side,
                                                                const acquire_request& question) {
  const auto wait_max_ms = question.wait_max_ms;
  auto hasty = question;
  hasty.wait_max_ms = 0;
  auto answer = co_await ask(side, hasty);
  const bool may_wait = answer && answer->grant == grant_kind::resting
                        && answer->wait_ms < wait_max_ms && wait_max_ms > 0;
  if (!may_wait)
    co_return answer;
  auto state =
      std::make_shared<heart>(p_.loop, *side.x, side.fields, side.with.config->pool.wait_heartbeat);
  state->begun = side.begun;
  auto beating = beat(state);
  http::spawn(std::move(beating));
  auto patient = question;
  patient.ticket += 1;
  auto late = co_await ask(side, patient);
  state->over = true;
  const duration moment = std::chrono::milliseconds(1);
  while (state->writing)
    co_await p_.loop.sleep(moment);
  side.begun = state->begun;
  co_return late;
}

http::task<result<acquire_reply>> attempts::ask_once(client_side& side, const upstream_call& call,
                                                     const course& so_far) {
  auto question = question_of(call, so_far, side.notes);
  if (call.heartbeats && side.streams() && side.with.config->pool.wait_heartbeat > duration::zero())
    co_return co_await ask_with_heartbeats(side, question);
  co_return co_await ask(side, question);
}

http::task<attempts::lease_or_error> attempts::acquire(client_side& side, const upstream_call& call,
                                                       course& so_far) {
  lease_or_error end;
  const auto asked = p_.loop.now();
  auto answer = co_await ask_once(side, call, so_far);
  if (!answer && answer.error().code == errc::shutting_down)
    // A key actor that crashed with the question in its mailbox: the pool knows by now.
    answer = co_await ask_once(side, call, so_far);
  p_.metrics.lease_time.add(p_.loop.now() - asked);
  if (!answer) {
    end.gone = answer.error().code == errc::cancelled;
    end.error = draining_error();
    co_return end;
  }
  if (answer->credential_ticket != 0)
    side.notes.credential_ticket = answer->credential_ticket;
  if (answer->grant == grant_kind::granted)
    end.lease = *std::move(answer);
  else
    end.error = error_of(*answer, so_far.last);
  co_return end;
}

/// Waits, unless the client leaves.
http::task<void> attempts::pause(client_side& side, duration wait) {
  constexpr duration slice = std::chrono::milliseconds{200};
  const auto until = p_.loop.now() + wait;
  for (auto left = wait; left > duration::zero() && !side.cancel.cancelled();
       left = until - p_.loop.now()) {
    const auto next = std::min(left, slice);
    co_await p_.loop.sleep(next);
  }
}

/// The beginning of a stream says that the upstream is well: a probe must not last as long as a
/// stream does.
void attempts::tell_well(client_side& side, const upstream_call& call) {
  breaker_board::outcome well;
  well.host = breaker_outcome::ok;
  well.model = breaker_outcome::ok;
  p_.breakers->note(side.upstream, call.model, side.pass, well, p_.loop.now(), jitter());
  side.told_well = true;
}

/// A lease whose call is not made.
void attempts::give_back(bridge& actors, const acquire_reply& lease) {
  settlement s;
  s.lease = lease.lease;
  s.abandoned = true;
  s.unsent = true;
  actors.tell(lease.key_actor, std::move(s));
}

/// A lease that came after its request had ended: nobody else knows of it, nor of what its
/// question counted against the credential.
void attempts::came_late(bridge& actors, acquire_reply late) {
  if (late.grant != grant_kind::granted)
    return;
  give_back(actors, late);
  if (late.counted_for == 0)
    return;
  troupe::settle_credential s;
  s.credential = late.counted_for;
  s.ticket = late.credential_ticket;
  actors.tell(late.key_actor, s);
}

void attempts::settle(client_side& side, const upstream_call& call, const acquire_reply& lease,
                      attempt_end& end) {
  const auto& v = end.verdict;
  settlement s;
  s.lease = lease.lease;
  s.abandoned = end.gone;
  s.unsent = end.unsent;
  s.reported = end.usage.reported;
  s.model = call.model;
  s.what = v.what;
  s.scope = v.scope;
  s.concerned_model = v.model;
  s.retry_after_ms = v.retry_after ? v.retry_after->count() : -1;
  s.model_not_offered = v.model_not_offered;
  s.told = std::move(end.told);
  if (v.what != gemini::answer_class::ok) {
    s.message = mask_keys(std::string_view{v.message}.substr(0, settled_message_bytes_max));
    s.reason = v.reason;
    s.project = v.project;
  }
  s.prompt_tokens = end.usage.prompt;
  s.output_tokens = end.usage.output;
  s.thought_tokens = end.usage.thought;
  s.cached_tokens = end.usage.cached;
  const auto microseconds = [](duration d) {
    return d.count() < 0 ? -1 : std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  };
  s.latency_us = microseconds(end.whole);
  s.first_byte_us = microseconds(end.first_byte);
  p_.actors.tell(lease.key_actor, std::move(s));
  if (lease.egress != 0 && (end.proxy_failed || (lease.egress_trial && end.status != 0))) {
    egress_report r;
    r.egress = lease.egress;
    r.worked = !end.proxy_failed;
    p_.actors.tell(p_.pool, r);
  }

  auto& n = side.notes;
  n.sent = n.sent || !end.unsent;
  n.reported = n.reported || end.usage.reported;
  n.usage.prompt += end.usage.prompt;
  n.usage.output += end.usage.output;
  auto& m = p_.metrics;
  if (!end.gone)
    m.attempts[static_cast<std::size_t>(v.what)].add();
  m.tokens_prompt.add(end.usage.prompt);
  m.tokens_output.add(end.usage.output);
  m.tokens_thought.add(end.usage.thought);
  m.tokens_cached.add(end.usage.cached);
}

void attempts::settle_credential(std::uint64_t credential, const call_notes& notes) {
  if (notes.credential_ticket == 0)
    return;
  troupe::settle_credential s;
  s.credential = credential;
  s.ticket = notes.credential_ticket;
  s.sent = notes.sent;
  s.reported = notes.reported;
  s.input_tokens = notes.usage.prompt;
  s.output_tokens = notes.usage.output;
  p_.actors.tell(p_.pool, s);
}

void attempts::note_attempt(client_side& side, const upstream_call& call,
                            const acquire_reply& lease, std::size_t upstream,
                            const attempt_end& end) {
  if (side.x == nullptr)
    return;
  auto& a = side.notes.attempts.emplace_back();
  a.key = lease.key;
  a.upstream = side.with.config->upstreams[upstream].name;
  a.model = call.model;
  a.what = gemini::to_string(end.verdict.what);
  a.status = end.status;
  a.wait_ms = end.verdict.retry_after ? end.verdict.retry_after->count() : -1;
  if (end.error)
    a.message =
        mask_keys(std::string_view{end.verdict.message}.substr(0, settled_message_bytes_max));
}

/// Whether another attempt makes sense after `end`, and after how long a wait.
bool attempts::may_go_on(const client_side& side, course& so_far, const attempt_end& end,
                         duration& wait) {
  const bool empty = so_far.last->what == fault::empty_response;
  if (empty && !side.with.config->pool.retry_empty)
    return false;
  const auto next = decide_retry(so_far.policy, so_far.state, end.verdict,
                                 so_far.deadline - p_.loop.now(), jitter(), end.status);
  if (next.what == retry_kind::give_up)
    return false;
  if (next.same_key_allowed)
    so_far.tried.clear();
  wait = next.wait;
  return true;
}

http::task<std::optional<client_error>> attempts::run(client_side& side, const upstream_call& call,
                                                      call_summary& summary) {
  course so_far;
  const auto& config = *side.with.config;
  so_far.policy.attempts_max = config.pool.attempts_max;
  so_far.deadline = p_.loop.now() + config.pool.request_deadline;
  so_far.upstreams.assign(call.upstreams.begin(), call.upstreams.end());
  for (;;) {
    // Upstreams whose breaker is open are not asked for; if all are, nobody is bothered.
    duration soonest{};
    std::erase_if(so_far.upstreams, [&](std::uint32_t number) {
      const auto closed = p_.breakers->closed_for(number, call.model, p_.loop.now());
      if (closed > duration::zero())
        soonest = soonest == duration::zero() ? closed : std::min(soonest, closed);
      return closed > duration::zero();
    });
    if (so_far.upstreams.empty() && !call.upstreams.empty()) {
      if (!so_far.last)
        so_far.last = breaker_error(soonest);
      co_return so_far.last;
    }
    auto permission = co_await acquire(side, call, so_far);
    if (permission.gone || !permission.lease) {
      summary.gone = permission.gone;
      co_return permission.error;
    }
    const auto& lease = *permission.lease;
    const auto upstream = config.index_of(lease.upstream);
    breaker_board::pass pass;
    if (upstream)
      pass = p_.breakers->allow(lease.upstream, call.model, p_.loop.now(), jitter());
    if (!upstream || !pass.allowed) {
      // The key's upstream came or went after this request had begun, or is being spared.
      give_back(p_.actors, *permission.lease);
      if (!upstream)
        so_far.tried.push_back(lease.key);
      if (++so_far.detours > detours_max) {
        auto e = none_usable_error();
        if (upstream)
          e = breaker_error(pass.retry_in);
        co_return e;
      }
      const auto wait = std::min<duration>(pass.retry_in, std::chrono::seconds{1});
      if (upstream && pass.recovering)
        co_await pause(side, wait);
      continue;
    }
    ++summary.attempts;
    summary.key = lease.key;
    p_.metrics.leases_open.add();
    side.upstream = lease.upstream;
    side.pass = pass;
    side.told_well = false;
    auto end = co_await attempt(side, call, lease, *upstream);
    p_.metrics.leases_open.subtract();
    const auto sign = sign_of(end.verdict, end.status, end.error ? &*end.error : nullptr);
    breaker_board::outcome told;
    if (!end.gone && !end.unsent) {
      told.host = sign.host_failed && !so_far.host_failed ? breaker_outcome::failed
                  : sign.answered                         ? breaker_outcome::ok
                                                          : breaker_outcome::neutral;
      told.model = sign.model_failed ? breaker_outcome::failed
                   : sign.answered   ? breaker_outcome::ok
                                     : breaker_outcome::neutral;
      so_far.host_failed = so_far.host_failed || sign.host_failed;
    } else if (!end.gone && !end.proxy_failed && sign.host_failed && !so_far.host_failed) {
      told.host = breaker_outcome::failed; // it could not even be reached
      so_far.host_failed = true;
    }
    const bool failed =
        told.host == breaker_outcome::failed || told.model == breaker_outcome::failed;
    if (!side.told_well || failed)
      p_.breakers->note(lease.upstream, call.model, pass, told, p_.loop.now(), jitter());
    settle(side, call, lease, end);
    note_attempt(side, call, lease, *upstream, end);
    summary.gone = end.gone;
    summary.cut = end.visible && end.error.has_value();
    summary.visible = end.visible;
    if (!end.gone && !end.error && side.answers != nullptr)
      side.answers->served_by(lease.key);
    if (end.gone || !end.error)
      co_return std::nullopt;
    log_failure(side, lease, end);
    if (end.visible)
      co_return end.error;
    so_far.last = std::move(end.error);
    // A throttled key rests, so it cannot be chosen before it may be: then it may.
    if (!is_quota(end.verdict.what))
      so_far.tried.push_back(lease.key);
    duration wait{};
    if (!may_go_on(side, so_far, end, wait))
      co_return so_far.last;
    p_.metrics.retries.add();
    co_await pause(side, wait);
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
                                         std::string_view fields, call_notes& notes) {
  client_side side(with, &x, &answers, x.gone(), fields, notes);
  call_summary summary;
  summary.status = 200;
  summary.forwarded = call.kind == upstream_kind::openai || call.kind == upstream_kind::anthropic;
  auto error = co_await run(side, call, summary);
  summary.begun = side.begun;
  if (!summary.gone && !summary.visible)
    summary.error = std::move(error);
  co_return summary;
}

http::task<std::variant<std::string, client_error>>
attempts::fetch(const serving& with, const upstream_call& call, http::cancel_source& cancel) {
  call_notes notes;
  client_side side(with, nullptr, nullptr, cancel, {}, notes);
  call_summary summary;
  auto error = co_await run(side, call, summary);
  settle_credential(call.credential, notes);
  if (error)
    co_return std::move(*error);
  if (summary.gone) {
    auto e = make_client_error(fault::internal, "The request was taken back.");
    co_return e;
  }
  co_return std::move(side.fetched);
}

} // namespace troupe
